using System.Globalization;
using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Training;

/// <summary>The state of an interrupted run: weights, Adam's moments, statistics, and where it stood. Everything else follows
/// from the options, whose fingerprint it carries.</summary>
internal static class TrainingCheckpoint
{
    private const string StepKey = "step", StepsKey = "steps", FingerprintKey = "fingerprint";
    private const string MeanName = "teacher_mean", DeviationName = "teacher_std";

    public static void Save(
        string path, string fingerprint, int step, int steps, IBackend backend,
        PatchDescriptionNetwork student, Autoencoder autoencoder, Tensor mean, Tensor deviation)
    {
        var writer = new SafetensorsWriter();
        writer.Metadata[StepKey] = step.ToString(CultureInfo.InvariantCulture);
        writer.Metadata[StepsKey] = steps.ToString(CultureInfo.InvariantCulture);
        writer.Metadata[FingerprintKey] = fingerprint;
        NetworkWeights.Add(writer, backend, MeanName, mean);
        NetworkWeights.Add(writer, backend, DeviationName, deviation);
        foreach ((string name, Tensor tensor) in State(student, autoencoder)) NetworkWeights.Add(writer, backend, name, tensor);
        writer.Save(path);
    }

    /// <returns>The next step and the run's number of steps.</returns>
    /// <exception cref="ModelFormatException">The file is no checkpoint, or one of another run.</exception>
    public static (int Step, int Steps) Load(
        string path, string fingerprint, IBackend backend,
        PatchDescriptionNetwork student, Autoencoder autoencoder, Tensor mean, Tensor deviation)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        var metadata = new MetadataReader(path, file.Metadata);
        string found = metadata.Text(FingerprintKey);
        if (found != fingerprint)
        {
            throw new ModelFormatException(
                $"{path} belongs to a run with other options or data.{Environment.NewLine}It has {found}{Environment.NewLine}" +
                $"now:   {fingerprint}{Environment.NewLine}Resume with the same options, or start anew without --resume.");
        }

        NetworkWeights.Load(file, MeanName, mean, backend);
        NetworkWeights.Load(file, DeviationName, deviation, backend);
        foreach ((string name, Tensor tensor) in State(student, autoencoder)) NetworkWeights.Load(file, name, tensor, backend);
        int steps = metadata.Integer(StepsKey, 1, int.MaxValue);
        return (metadata.Integer(StepKey, 0, steps), steps);
    }

    private static IEnumerable<(string Name, Tensor Tensor)> State(PatchDescriptionNetwork student, Autoencoder autoencoder)
    {
        foreach ((string prefix, Network network) in new (string, Network)[] { ("student.", student), ("autoencoder.", autoencoder) })
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
