using System.Globalization;
using System.Text.RegularExpressions;

namespace EfficientAD.Native.Driver;

/// <summary>What PTX says of one kernel.</summary>
/// <param name="Name">As in the source, which declares it extern "C".</param>
/// <param name="ParameterBytes">The size of each parameter, in order.</param>
internal sealed partial record PtxEntry(string Name, int[] ParameterBytes)
{
    /// <summary>Reads the kernels' declarations: <c>.entry name(.param .u64 a, .param .align 4 .b8
    /// b[12])</c>.</summary>
    /// <exception cref="FormatException">A parameter is declared in a way that is not known here.</exception>
    public static Dictionary<string, PtxEntry> ReadAll(string ptx)
    {
        string code = Comment().Replace(ptx, "");
        return Declaration().Matches(code)
            .Select(entry => new PtxEntry(entry.Groups["name"].Value, ReadParameters(entry)))
            .ToDictionary(entry => entry.Name);
    }

    private static int[] ReadParameters(Match entry)
    {
        string list = entry.Groups["parameters"].Value.Trim();
        return list == "" ? [] : [.. list.Split(',').Select(text => SizeOf(text.Trim(), entry.Groups["name"].Value))];
    }

    private static int SizeOf(string parameter, string kernel)
    {
        Match match = Parameter().Match(parameter);
        if (!match.Success) throw new FormatException($"PTX of {kernel}: cannot read the parameter '{parameter}'.");
        int bits = int.Parse(match.Groups["bits"].ValueSpan, CultureInfo.InvariantCulture);
        Group count = match.Groups["count"];
        return bits / 8 * (count.Success ? int.Parse(count.ValueSpan, CultureInfo.InvariantCulture) : 1);
    }

    [GeneratedRegex(@"//[^\n]*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"\.entry\s+(?<name>[\w$]+)\s*(?:\((?<parameters>[^)]*)\))?")]
    private static partial Regex Declaration();

    /// <summary>Newer compilers add what a pointer points to: <c>.param .u64 .ptr .global .align 4 a</c>.</summary>
    [GeneratedRegex(@"^\.param(?:\s+\.align\s+\d+)?\s+\.[a-z]+(?<bits>\d+)(?:\s+\.align\s+\d+)?" +
        @"(?:\s+\.ptr(?:\s+\.[a-z]+)?(?:\s+\.align\s+\d+)?)?\s+[\w$]+\s*(?:\[(?<count>\d+)\])?$")]
    private static partial Regex Parameter();
}
