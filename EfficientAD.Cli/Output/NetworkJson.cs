using System.Text.Json;
using PtxSimulator.Counting;
using PtxSimulator.Reports;

namespace EfficientAD.Cli.Output;

/// <summary>What kernels did on the simulator, for programs.</summary>
internal static class NetworkJson
{
    public static void Write(
        Utf8JsonWriter json, string title, NetworkReport report, KernelResourceTable resources, Card card)
    {
        json.WriteString("run", title);
        json.WriteBoolean("simulated", true);
        json.WriteStartObject("card");
        json.WriteString("name", card.Name);
        json.WriteNumber("multiprocessors", card.Multiprocessors);
        json.WriteNumber("clock_ghz", card.ClockGigahertz);
        json.WriteNumber("float32_tflops", card.Float32Teraflops);
        json.WriteNumber("tensor_tflops", card.TensorTeraflops);
        json.WriteNumber("memory_gb_per_s", card.MemoryGigabytesPerSecond);
        json.WriteEndObject();
        json.WriteStartArray("kernels");
        foreach (KernelReport kernel in report.Kernels)
        {
            json.WriteStartObject();
            WriteKernel(json, kernel, card);
            WriteNumber(json, "occupancy", kernel.Occupancy(resources, card));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartObject("total");
        WriteKernel(json, report.Total, card);
        json.WriteEndObject();
    }

    private static void WriteKernel(Utf8JsonWriter json, KernelReport kernel, Card card)
    {
        PredictedTime predicted = kernel.Predict(card);
        json.WriteString("kernel", kernel.Name);
        json.WriteNumber("launches", kernel.Launches.Count);
        json.WriteNumber("warp_instructions", kernel.WarpInstructions);
        json.WriteStartObject("instructions");
        foreach (InstructionClass kind in Enum.GetValues<InstructionClass>())
        {
            if (kernel.CountOf(kind) > 0)
                json.WriteNumber(JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString()), kernel.CountOf(kind));
        }

        json.WriteEndObject();
        json.WriteNumber("mma_multiply_adds", kernel.MmaMultiplyAdds);
        json.WriteNumber("fma_multiply_adds", kernel.FmaMultiplyAdds);
        json.WriteNumber("moved_bytes", kernel.MovedBytes);
        json.WriteNumber("compulsory_bytes", kernel.CompulsoryBytes);
        WriteNumber(json, "coalescing", kernel.Coalescing);
        WriteNumber(json, "bank_conflicts", kernel.BankConflicts);
        json.WriteNumber("barriers", kernel.Barriers);
        json.WriteNumber("predicted_microseconds", predicted.Microseconds);
        json.WriteString("bound_by", JsonNamingPolicy.SnakeCaseLower.ConvertName(predicted.Bound.ToString()));
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } number) json.WriteNumber(name, number);
        else json.WriteNull(name);
    }
}
