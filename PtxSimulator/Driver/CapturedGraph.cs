using System.Globalization;
using System.Text;

namespace PtxSimulator.Driver;

/// <summary>A graph as capture recorded it: only to be instantiated.</summary>
internal sealed record CapturedGraph(DriverContext Context, IReadOnlyList<GraphNode> Nodes)
{
    /// <summary>In the language of Graphviz.</summary>
    public string Dot()
    {
        var text = new StringBuilder("digraph captured {\n");
        foreach (GraphNode node in Nodes)
        {
            string label = node.Work.Label.Replace("\"", "'", StringComparison.Ordinal);
            text.Append(CultureInfo.InvariantCulture, $"  n{node.Index} [label=\"{label}\"];\n");
            foreach (GraphNode dependency in node.Dependencies)
                text.Append(CultureInfo.InvariantCulture, $"  n{dependency.Index} -> n{node.Index};\n");
        }

        return text.Append("}\n").ToString();
    }
}

/// <summary>What cuGraphExecUpdate_v2 answers, as CUgraphExecUpdateResult.</summary>
internal enum GraphUpdateResult
{
    Success = 0,
    TopologyChanged = 2,
    NodeTypeChanged = 3,
}

/// <summary>A graph that can be launched any number of times.</summary>
internal sealed class ExecutableGraph(CapturedGraph graph)
{
    private IReadOnlyList<GraphNode> _nodes = graph.Nodes;

    public DriverContext Context => graph.Context;

    /// <summary>The whole graph as one work of a stream. An update after the launch does not reach it.</summary>
    public Work Launch()
    {
        IReadOnlyList<GraphNode> nodes = _nodes;
        return new Work(WorkKind.Graph, $"graph of {nodes.Count} nodes", () => Run(nodes));
    }

    /// <summary>Takes over the parameters of a graph of the same form; changes nothing if the form differs.</summary>
    public GraphUpdateResult Update(CapturedGraph other)
    {
        if (other.Nodes.Count != _nodes.Count) return GraphUpdateResult.TopologyChanged;
        foreach ((GraphNode mine, GraphNode theirs) in _nodes.Zip(other.Nodes))
        {
            if (mine.Work.Kind != theirs.Work.Kind) return GraphUpdateResult.NodeTypeChanged;
            if (!Indices(mine).SequenceEqual(Indices(theirs))) return GraphUpdateResult.TopologyChanged;
        }

        _nodes = other.Nodes;
        return GraphUpdateResult.Success;

        static IEnumerable<int> Indices(GraphNode node) => node.Dependencies.Select(each => each.Index).Order();
    }

    /// <summary>Any order that the dependencies allow, drawn anew at each launch: a dependency that was forgotten
    /// shows.
    /// </summary>
    private void Run(IReadOnlyList<GraphNode> nodes)
    {
        int[] missing = [.. nodes.Select(node => node.Dependencies.Count)];
        ILookup<int, int> followers = nodes
            .SelectMany(node => node.Dependencies.Select(dependency => (dependency.Index, Follower: node.Index)))
            .ToLookup(edge => edge.Index, edge => edge.Follower);
        List<int> ready = [.. Enumerable.Range(0, nodes.Count).Where(i => missing[i] == 0)];
        while (ready.Count > 0)
        {
            int pick = Context.Device.Schedule.Next(ready.Count);
            int index = ready[pick];
            ready.RemoveAt(pick);
            nodes[index].Work.Run();
            Context.Device.Tick();
            ready.AddRange(followers[index].Where(follower => --missing[follower] == 0));
        }
    }
}
