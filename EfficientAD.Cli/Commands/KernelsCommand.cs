using System.Globalization;
using System.Text.Json;
using EfficientAD.Backends.Cuda;
using EfficientAD.Cli.Output;
using EfficientAD.Cli.Runs;
using EfficientAD.Models;
using EfficientAD.Networks;
using PtxSimulator;
using PtxSimulator.Reports;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

/// <summary>Shows the CUDA kernels, and what they do when a network runs: on a simulator, without a GPU.</summary>
internal sealed class KernelsCommand(CommandOutput output) : Command<KernelsSettings>
{
    private const int DefaultInput = 256;

    public override int Execute(CommandContext context, KernelsSettings settings, CancellationToken cancellation)
    {
        KernelResourceTable resources = ReadResources();
        if (settings.HasNetwork) RunNetwork(settings, resources);
        else if (settings.Json) output.WriteJson(json => WriteList(json, resources));
        else KernelTable.Write(output, resources);
        return ExitCode.Success;
    }

    private static KernelResourceTable ReadResources() => KernelResourceTable.Parse(
        KernelLibrary.Read("ptx/resources.json")
        ?? throw new InvalidOperationException("This program was built without its kernels: see Kernels/README.md."));

    private void RunNetwork(KernelsSettings settings, KernelResourceTable resources)
    {
        using SimulatedRun run = Prepare(settings, resources, out string network);
        var report = new NetworkReport(settings.Training ? run.Train() : run.Detect());
        string what = settings.Training ? "one training step" : "one detection";
        string title = string.Create(CultureInfo.InvariantCulture,
            $"{network}, {what} at {run.Height} x {run.Width}, precision " +
            $"{settings.CudaPrecision.ToString().ToLowerInvariant()}");
        if (settings.Json) output.WriteJson(json => NetworkJson.Write(json, title, report, resources, settings.Card));
        else NetworkTable.Write(output, title, report, resources, settings.Card);
    }

    private static SimulatedRun Prepare(KernelsSettings settings, KernelResourceTable resources, out string network)
    {
        var device = new SimulatedDeviceOptions
        {
            ComputeCapability = settings.Card.ComputeCapability,
            Multiprocessors = settings.Card.Multiprocessors,
            Resources = resources,
            Checks = settings.Checks ? PtxSimulator.Checks.All : PtxSimulator.Checks.None,
        };
        if (settings.Model is { } path)
        {
            using ModelFile model = ModelFile.Open(path);
            network = $"{Path.GetFileName(path)} (EfficientAD-{model.Information.Size.ToString()[..1]})";
            return SimulatedRun.OfModel(model, settings.Training, settings.CudaPrecision, device);
        }

        network = $"EfficientAD-{settings.Size} with random weights";
        return SimulatedRun.WithRandomWeights(
            settings.Size == "S" ? PdnSize.Small : PdnSize.Medium, settings.Input ?? DefaultInput, settings.Training,
            settings.CudaPrecision, device);
    }

    private static void WriteList(Utf8JsonWriter json, KernelResourceTable resources)
    {
        json.WriteStartArray("kernels");
        foreach (KernelResources kernel in resources.Entries)
        {
            json.WriteStartObject();
            json.WriteString("file", kernel.File);
            json.WriteString("kernel", kernel.Kernel);
            json.WriteString("architecture", kernel.Architecture);
            json.WriteNumber("registers", kernel.Registers);
            json.WriteNumber("static_shared_bytes", kernel.StaticSharedBytes);
            json.WriteNumber("stack_bytes", kernel.StackBytes);
            json.WriteNumber("spill_bytes", kernel.SpillBytes);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
