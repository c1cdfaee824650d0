using System.Globalization;
using System.Text;

namespace PtxSimulator.Reports;

/// <summary>A report as text: a row for each kernel, then their sum.</summary>
public static class ReportTable
{
    private static readonly string[] Heads =
    [
        "kernel", "launches", "M warp instr", "G mma", "G fma", "MB moved", "MB least", "coalescing", "conflicts",
        "barriers", "occupancy", "us predicted", "bound by",
    ];

    /// <param name="resources">For occupancy; kernels that it lacks show a dash.</param>
    public static string Write(NetworkReport report, KernelResourceTable resources, Card card)
    {
        List<string[]> rows =
        [
            Heads,
            .. report.Kernels.Select(kernel => Row(kernel, Percent(kernel.Occupancy(resources, card)), card)),
            Row(report.Total, "", card),
        ];
        int[] widths = [.. Enumerable.Range(0, Heads.Length).Select(column => rows.Max(row => row[column].Length))];
        var text = new StringBuilder();
        foreach (string[] row in rows)
        {
            string line = string.Join("  ", row.Select((cell, column) =>
                column is 0 || column == Heads.Length - 1
                    ? cell.PadRight(widths[column])
                    : cell.PadLeft(widths[column])));
            text.Append(line.TrimEnd()).Append('\n');
        }

        return text.ToString();
    }

    private static string[] Row(KernelReport kernel, string occupancy, Card card)
    {
        PredictedTime predicted = kernel.Predict(card);
        return
        [
            kernel.Name, Number(kernel.Launches.Count, "0"), Number(kernel.WarpInstructions / 1e6, "0.000"),
            Number(kernel.MmaMultiplyAdds / 1e9, "0.000"), Number(kernel.FmaMultiplyAdds / 1e9, "0.000"),
            Number(kernel.MovedBytes / 1e6, "0.000"), Number(kernel.CompulsoryBytes / 1e6, "0.000"),
            Percent(kernel.Coalescing), Percent(kernel.BankConflicts), Number(kernel.Barriers, "0"), occupancy,
            Number(predicted.Microseconds, "0.0"), Name(predicted.Bound),
        ];
    }

    private static string Name(Resource resource) => resource switch
    {
        Resource.Tensor => "tensor cores",
        Resource.Float32 => "float32",
        Resource.Issue => "instructions",
        Resource.SharedMemory => "shared memory",
        Resource.Cache => "L2 cache",
        Resource.Memory => "memory",
        _ => "launch",
    };

    private static string Percent(double? fraction) => fraction is { } value ? $"{Number(100 * value, "0")} %" : "-";

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
