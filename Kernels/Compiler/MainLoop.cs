using System.Diagnostics;
using System.Text.RegularExpressions;

namespace EfficientAD.Kernels.Compiler;

/// <summary>The innermost loop of a kernel that multiplies on tensor cores, in machine code.</summary>
/// <param name="Instructions">All between its label and its branch, whether an iteration takes them or not.</param>
/// <param name="Products">Those of them that are mma.</param>
internal sealed partial record MainLoop(int Instructions, int Products)
{
    public double InstructionsPerProduct => (double)Instructions / Products;

    /// <summary>The loops of what ptxas made, by kernel; kernels without mma have none.</summary>
    public static IReadOnlyDictionary<string, MainLoop> ReadAll(string cubin, CompilerFolder folder)
    {
        var start = new ProcessStartInfo(folder.Nvdisasm, ["-c", cubin]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var loops = new Dictionary<string, MainLoop>();
        foreach (string section in Section().Split(text).Skip(1))
        {
            if (Find(section) is { } loop) loops.Add(Name().Match(section).Value, loop);
        }

        return loops;
    }

    /// <summary>The shortest stretch from a label to a branch back to it that holds an mma.</summary>
    private static MainLoop? Find(string section)
    {
        var labels = new Dictionary<string, int>();
        List<bool> isProduct = [];
        MainLoop? shortest = null;
        foreach (Match line in Line().Matches(section))
        {
            if (line.Groups["label"].Success)
            {
                labels[line.Groups["label"].Value] = isProduct.Count;
                continue;
            }

            isProduct.Add(Product().IsMatch(line.Groups["code"].ValueSpan));
            Match branch = Branch().Match(line.Groups["code"].Value);
            if (!branch.Success || !labels.TryGetValue(branch.Groups["to"].Value, out int first)) continue;
            int products = isProduct.Skip(first).Count(product => product), instructions = isProduct.Count - first;
            if (products > 0 && instructions < (shortest?.Instructions ?? int.MaxValue))
                shortest = new(instructions, products);
        }

        return shortest;
    }

    [GeneratedRegex(@"^\s*\.section\s+\.text\.(?=\w)", RegexOptions.Multiline)]
    private static partial Regex Section();

    [GeneratedRegex(@"^\w+")]
    private static partial Regex Name();

    /// <summary>Of halves, of integers, of bytes in float.</summary>
    [GeneratedRegex("^[HIQ]MMA")]
    private static partial Regex Product();

    [GeneratedRegex(
        @"^(?:(?<label>\.L_x_\d+):|\s*/\*[0-9a-f]{4,}\*/\s+(?:\{\s*)?(?<code>[^;]+);)", RegexOptions.Multiline)]
    private static partial Regex Line();

    [GeneratedRegex(@"^(?:@\S+ )?BRA\S* .*`\((?<to>\.L_x_\d+)\)")]
    private static partial Regex Branch();
}
