using System.Globalization;
using EfficientAD.Autograd;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Training;

/// <summary>The state of an interrupted run: weights, Adam's moments, statistics, and where it stood. Everything else
/// follows from the options, whose fingerprint it carries.</summary>
internal static class TrainingCheckpoint
{
    private const string StepKey = "step", StepsKey = "steps";
    private const string FingerprintKey = "fingerprint", EarlyStopKey = "early_stop";
    private const int Unknown = 0;
    private const string MeanName = "teacher_mean", DeviationName = "teacher_std";

    /// <param name="steps">Of the run; null where a time limit has not yet told.</param>
    public static void Save(
        string path, string fingerprint, int step, int? steps, DetectionNetworks networks, EarlyStop? earlyStop)
    {
        var writer = new SafetensorsWriter();
        writer.Metadata[StepKey] = step.ToString(CultureInfo.InvariantCulture);
        writer.Metadata[StepsKey] = (steps ?? Unknown).ToString(CultureInfo.InvariantCulture);
        writer.Metadata[FingerprintKey] = fingerprint;
        if (earlyStop is not null) writer.Metadata[EarlyStopKey] = earlyStop.State;
        foreach ((string name, Tensor tensor) in State(networks))
            NetworkWeights.Add(writer, networks.Backend, name, tensor);
        writer.Save(path);
    }

    /// <returns>The next step and the run's number of steps, null where it was not known yet.</returns>
    /// <exception cref="ModelFormatException">The file is no checkpoint, or one of another run.</exception>
    public static (int Step, int? Steps) Load(
        string path, string fingerprint, DetectionNetworks networks, EarlyStop? earlyStop)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        var metadata = new MetadataReader(path, file.Metadata);
        string found = metadata.Text(FingerprintKey);
        if (found != fingerprint)
        {
            throw new ModelFormatException(
                $"{path} belongs to a run with other options or data.{Environment.NewLine}" +
                $"It has {found}{Environment.NewLine}now:   {fingerprint}{Environment.NewLine}" +
                "Resume with the same options, or start anew without --resume.");
        }

        foreach ((string name, Tensor tensor) in State(networks))
            NetworkWeights.Load(file, name, tensor, networks.Backend);
        if (earlyStop is not null && !earlyStop.TryRestore(metadata.Text(EarlyStopKey)))
            throw new ModelFormatException(
                $"{path}: metadata '{EarlyStopKey}' is damaged. Start anew without --resume.");
        int steps = metadata.Integer(StepsKey, Unknown, int.MaxValue);
        return steps == Unknown
            ? (metadata.Integer(StepKey, 0, int.MaxValue), null)
            : (metadata.Integer(StepKey, 0, steps), steps);
    }

    private static IEnumerable<(string Name, Tensor Tensor)> State(DetectionNetworks networks)
    {
        yield return (MeanName, networks.Mean);
        yield return (DeviationName, networks.Deviation);
        foreach ((string prefix, Network network) in
            new (string, Network)[] { ("student.", networks.Student), ("autoencoder.", networks.Autoencoder) })
        {
            foreach (Parameter parameter in network.Parameters)
            {
                yield return (prefix + parameter.Name, parameter.Value);
                yield return ($"{prefix}{parameter.Name}.first_moment", parameter.FirstMoment!);
                yield return ($"{prefix}{parameter.Name}.second_moment", parameter.SecondMoment!);
            }
        }
    }
}
