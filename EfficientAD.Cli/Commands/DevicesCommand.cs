using System.ComponentModel;
using System.Globalization;
using System.Text.Json;
using EfficientAD.Backends;
using EfficientAD.Cli.Output;
using EfficientAD.Native;
using EfficientAD.Native.Libraries;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

internal sealed class DevicesSettings : VerbositySettings
{
    [CommandOption("--json")]
    [Description("Write JSON for programs instead of text.")]
    public bool Json { get; init; }
}

internal sealed class DevicesCommand(CommandOutput output) : Command<DevicesSettings>
{
    public override int Execute(CommandContext context, DevicesSettings settings, CancellationToken cancellation)
    {
        Devices devices = Devices.Query();
        if (settings.Json) WriteJson(devices);
        else WriteText(devices);
        return ExitCode.Success;
    }

    private void WriteText(Devices devices)
    {
        var facts = new FactTable();
        CpuDescription cpu = devices.Cpu;
        facts.Add("cpu",
            $"{cpu.Model}: {cpu.Cores} logical cores, {cpu.InstructionSet} instructions; " +
            $"{cpu.Cores} threads unless --threads says otherwise");
        foreach (CudaCandidate candidate in devices.Cuda)
            facts.Add($"cuda:{candidate.Device.Index}", $"{Describe(candidate)}. {Verdict(candidate)}");
        if (devices.Driver.Unavailable is { } reason) facts.Add("cuda", $"Cannot be used: {reason}");
        else facts.Add("driver", $"for CUDA {devices.Driver.DriverVersion} and older");
        foreach (CudaLibrary library in (CudaLibrary[])[devices.Libraries.Blas, devices.Libraries.Dnn])
        {
            // Absence is normal, and silent.
            if (library.Path is not null) facts.Add(library.Name, Describe(library));
        }
        facts.Add("auto", $"takes {new Device(DeviceKind.Auto).Resolve(devices)}");
        facts.WriteTo(output);
    }

    private static string Describe(CudaCandidate candidate)
    {
        CudaDevice device = candidate.Device;
        string memory = string.Create(CultureInfo.InvariantCulture, $"{device.MemoryBytes / 1e9:0.0} GB");
        if (candidate.FreeBytes is { } free)
            memory += string.Create(CultureInfo.InvariantCulture, $" of which {free / 1e9:0.0} are free");
        return $"{device.Name}, compute capability {device.ComputeCapability}, " +
            $"{device.Multiprocessors} multiprocessors, {memory}";
    }

    private static string Verdict(CudaCandidate candidate)
    {
        if (candidate.Unusable is { } reason) return $"Cannot be used: {reason}";
        string ofPlan = candidate.Unfused is { } why
            ? $"Detects layer by layer: {why}"
            : "The fused plan of detection did so, too.";
        return $"Takes the kernels for {candidate.Target}, and computed small problems as the CPU does. {ofPlan}";
    }

    private static string Describe(CudaLibrary library) => library.Unusable is { } reason
        ? $"Not used: {reason}"
        : $"{library.Version} ({library.Path}); used only where a program asks for it";

    private void WriteJson(Devices devices) => output.WriteJson(json =>
    {
        json.WriteStartObject("cpu");
        json.WriteString("model", devices.Cpu.Model);
        json.WriteNumber("cores", devices.Cpu.Cores);
        json.WriteString("instruction_set", devices.Cpu.InstructionSet.ToString());
        json.WriteBoolean("usable", true);
        json.WriteEndObject();
        json.WriteStartArray("cuda");
        foreach (CudaCandidate candidate in devices.Cuda) Write(candidate, json);
        json.WriteEndArray();
        json.WriteString("cuda_driver", devices.Driver.DriverVersion?.ToString());
        json.WriteString("cuda_unavailable", devices.Driver.Unavailable);
        json.WriteStartArray("libraries");
        Write(devices.Libraries.Blas, json);
        Write(devices.Libraries.Dnn, json);
        json.WriteEndArray();
        json.WriteString("auto", new Device(DeviceKind.Auto).Resolve(devices).ToString());
    });

    private static void Write(CudaCandidate candidate, Utf8JsonWriter json)
    {
        CudaDevice device = candidate.Device;
        json.WriteStartObject();
        json.WriteNumber("index", device.Index);
        json.WriteString("name", device.Name);
        json.WriteString("compute_capability", device.ComputeCapability.ToString());
        json.WriteNumber("multiprocessors", device.Multiprocessors);
        json.WriteNumber("memory_bytes", device.MemoryBytes);
        if (candidate.FreeBytes is { } free) json.WriteNumber("free_bytes", free);
        else json.WriteNull("free_bytes");
        json.WriteString("kernels", candidate.Target);
        json.WriteBoolean("usable", candidate.Unusable is null);
        json.WriteString("reason", candidate.Unusable);
        json.WriteBoolean("fused", candidate.Unusable is null && candidate.Unfused is null);
        json.WriteString("unfused_reason", candidate.Unfused);
        json.WriteEndObject();
    }

    private static void Write(CudaLibrary library, Utf8JsonWriter json)
    {
        if (library.Path is null) return;
        json.WriteStartObject();
        json.WriteString("name", library.Name);
        json.WriteString("version", library.Version?.ToString());
        json.WriteString("path", library.Path);
        json.WriteBoolean("usable", library.IsUsable);
        json.WriteString("reason", library.Unusable);
        json.WriteEndObject();
    }
}
