using System.ComponentModel;
using System.Globalization;
using System.Security.Cryptography;
using EfficientAD.Cli.Output;
using EfficientAD.Models;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

internal sealed class InfoSettings : VerbositySettings
{
    [CommandArgument(0, "<FILE>")]
    [Description("A model, a teacher, a checkpoint, or any other safetensors file.")]
    public string File { get; init; } = "";

    [CommandOption("--json")]
    [Description("Write JSON for programs instead of text.")]
    public bool Json { get; init; }
}

internal sealed class InfoCommand(CommandOutput output) : Command<InfoSettings>
{
    private const int NameLimit = 60;

    public override int Execute(CommandContext context, InfoSettings settings, CancellationToken cancellation)
    {
        // Beside the reading, which compiles what it needs meanwhile.
        Task<string> hash = Task.Run(() => Hash(settings.File), cancellation);
        using SafetensorsFile file = SafetensorsFile.Open(settings.File);
        // A model's metadata are checked as on loading: what is shown here can be used.
        bool isModel = file.Metadata.ContainsKey(ModelInformation.FormatKey) && !UncalibratedModel.Is(file);
        ModelInformation? model = isModel ? ModelFile.ReadInformation(file) : null;
        if (settings.Json) WriteJson(file, model, hash.GetAwaiter().GetResult());
        else WriteText(file, model, hash.GetAwaiter().GetResult());
        return ExitCode.Success;
    }

    private static string Hash(string path)
    {
        using FileStream stream = System.IO.File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    private void WriteText(SafetensorsFile file, ModelInformation? model, string hash)
    {
        string kind = UncalibratedModel.Is(file)
            ? "networks of an EfficientAD model, not calibrated"
            : "safetensors file";
        output.WriteLine($"{file.Name}: {(model is null ? kind : "EfficientAD model")}");
        var facts = new FactTable();
        facts.Add("sha256", hash);
        facts.Add("parameters", string.Join(", ", Networks(file).Select(network =>
            string.Create(CultureInfo.InvariantCulture, $"{network.Name} {network.Parameters:#,0}"))));
        foreach ((string key, string value) in Metadata(file, model)) facts.Add(Printable(key), Printable(value));
        facts.WriteTo(output);
        if (model is not null) return;

        output.WriteLine($"{file.Names.Count} tensors:");
        foreach (string name in file.Names)
        {
            SafetensorsTensor tensor = file.Get(name);
            output.WriteLine($"  {Printable(name)}  {tensor.Type} [{string.Join(", ", tensor.Shape.ToArray())}]");
        }
    }

    private void WriteJson(SafetensorsFile file, ModelInformation? model, string hash) => output.WriteJson(json =>
    {
        json.WriteString("path", file.Name);
        json.WriteString(
            "kind", model is not null ? "model" : UncalibratedModel.Is(file) ? "uncalibrated" : "safetensors");
        json.WriteString("sha256", hash);
        json.WriteStartObject("networks");
        foreach ((string name, long parameters) in Networks(file)) json.WriteNumber(name, parameters);
        json.WriteEndObject();
        json.WriteStartObject("metadata");
        foreach ((string key, string value) in file.Metadata) json.WriteString(key, value);
        json.WriteEndObject();
        json.WriteStartArray("tensors");
        foreach (string name in file.Names)
        {
            SafetensorsTensor tensor = file.Get(name);
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteString("dtype", tensor.Type.ToString());
            json.WriteStartArray("shape");
            foreach (long extent in tensor.Shape) json.WriteNumberValue(extent);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    /// <summary>What a model says of itself in the order of reading, then what else the file has.</summary>
    private static IEnumerable<(string Key, string Value)> Metadata(SafetensorsFile file, ModelInformation? model)
    {
        (string Key, string Value)[] known = model is null ? [] : [.. model.Pairs()];
        var others = file.Metadata.Keys.Except(known.Select(pair => pair.Key)).Order(StringComparer.Ordinal);
        return [.. known, .. others.Select(key => (key, file.Metadata[key]))];
    }

    /// <summary>Numbers of parameters, by the part of the tensor's name before its layer.</summary>
    private static IEnumerable<(string Name, long Parameters)> Networks(SafetensorsFile file)
    {
        var counts = new OrderedDictionary<string, long>();
        foreach (string name in file.Names)
        {
            string[] parts = name.Split('.');
            if (parts[^1] is not ("weight" or "bias")) continue;
            string network = parts.Length > 2 ? string.Join('.', parts[..^2]) : "network";
            counts[network] = counts.GetValueOrDefault(network) + file.Get(name).Count;
        }

        return counts.Select(pair => (Printable(pair.Key), pair.Value));
    }

    /// <summary>Text from a file that anybody may have written: no control characters, bearable length.</summary>
    private static string Printable(string text)
    {
        string clean = string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
        return clean.Length <= 10 * NameLimit ? clean : clean[..(10 * NameLimit)] + "...";
    }
}
