using Spectre.Console;

namespace EfficientAD.Cli.Output;

/// <summary>Names and values below each other. On a terminal a long value is wrapped beside its name; elsewhere a fact
/// is a line.</summary>
internal sealed class FactTable
{
    private readonly List<(string Name, string Value)> _facts = [];

    public void Add(string name, string value) => _facts.Add((PrintableText.Of(name), PrintableText.Of(value)));

    public void WriteTo(CommandOutput output)
    {
        int width = _facts.Max(fact => fact.Name.Length);
        if (!output.IsTerminal)
        {
            foreach ((string name, string value) in _facts) output.WriteLine($"  {name.PadRight(width)}  {value}");
            return;
        }

        var grid = new Grid()
            .AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(2, 0, 2, 0) })
            .AddColumn(new GridColumn { Padding = new Padding(0) });
        foreach ((string name, string value) in _facts) grid.AddRow(new Text(name, Color.Grey), new Text(value));
        output.Console.Write(grid);
    }
}
