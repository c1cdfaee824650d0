using System.Globalization;
using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Distillation;

/// <summary>All that a distillation carries from one step to the next: weights, their average, Adam's moments, the
/// targets' statistics, and the loss curve. Everything else follows from options, backbone and images.</summary>
internal sealed class DistillationState : IDisposable
{
    private const string StepKey = "step", StepsKey = "steps", FingerprintKey = "fingerprint", CurveName = "curve";
    private const string LossSumKey = "loss_sum", LossCountKey = "loss_count", RevivedKey = "revived";

    private readonly IBackend _backend;
    private float _lossSum;
    private int _lossCount;

    public DistillationState(IBackend backend, DistillationOptions options)
    {
        _backend = backend;
        Network = new PatchDescriptionNetwork(
            backend, options.Size, PatchDescriptionNetwork.TeacherChannels, options.Padded, trainable: true);
        Average = new WeightAverage(backend, Network);
        Mean = backend.Allocate(Shape.Vector(PatchDescriptionNetwork.TeacherChannels));
        Deviation = backend.Allocate(Shape.Vector(PatchDescriptionNetwork.TeacherChannels));
    }

    public PatchDescriptionNetwork Network { get; }

    public WeightAverage Average { get; }

    /// <summary>Of the targets, per channel.</summary>
    public Tensor Mean { get; }

    /// <summary>Of the targets, per channel.</summary>
    public Tensor Deviation { get; }

    /// <summary>Steps taken.</summary>
    public int Step { get; set; }

    /// <summary>Steps of the whole run; the largest number before a run with a time limit has taken its first
    /// step.</summary>
    public int Steps { get; set; }

    /// <summary>Units that stopped firing and were started anew.</summary>
    public int Revived { get; set; }

    public List<DistillationPoint> Curve { get; } = [];

    /// <summary>Last measured; NaN before.</summary>
    public float HeldBackLoss => Curve.Count == 0 ? float.NaN : Curve[^1].HeldBackLoss;

    /// <summary>Counts a step's loss towards the curve's next point.</summary>
    public void AddLoss(float loss)
    {
        _lossSum += loss;
        _lossCount++;
    }

    public void AddPoint(float heldBackLoss)
    {
        Curve.Add(new DistillationPoint(Step, _lossSum / _lossCount, heldBackLoss));
        (_lossSum, _lossCount) = (0, 0);
    }

    /// <summary>The first weights: drawn, or those of a teacher. A small teacher grows where a medium one is asked
    /// for.</summary>
    /// <exception cref="ModelFormatException">The file holds no such teacher.</exception>
    public void Start(CounterRandom random, string? teacher)
    {
        Network.Initialize(random);
        if (teacher is null) return;
        using SafetensorsFile file = SafetensorsFile.Open(teacher);
        if (Network.Size == PdnSize.Small || file.TryGet("conv6.weight", out _))
        {
            NetworkWeights.Load(file, "", Network.Parameters, _backend);
            return;
        }

        using var small = new PatchDescriptionNetwork(
            _backend, PdnSize.Small, Network.Outputs, Network.Padded, trainable: false);
        NetworkWeights.Load(file, "", small.Parameters, _backend);
        NetworkGrowth.Grow(_backend, small, Network);
    }

    public void Save(string path, string fingerprint)
    {
        var writer = new SafetensorsWriter();
        writer.Metadata[StepKey] = Step.ToString(CultureInfo.InvariantCulture);
        writer.Metadata[StepsKey] = Steps.ToString(CultureInfo.InvariantCulture);
        writer.Metadata[FingerprintKey] = fingerprint;
        writer.Metadata[LossSumKey] = _lossSum.ToString("R", CultureInfo.InvariantCulture);
        writer.Metadata[LossCountKey] = _lossCount.ToString(CultureInfo.InvariantCulture);
        writer.Metadata[RevivedKey] = Revived.ToString(CultureInfo.InvariantCulture);
        foreach ((string name, Tensor tensor) in Tensors()) NetworkWeights.Add(writer, _backend, name, tensor);
        float[] curve = [.. Curve.SelectMany(point => new[] { point.Step, point.Loss, point.HeldBackLoss })];
        writer.Add(CurveName, [Curve.Count, 3], curve);
        writer.Save(path);
    }

    /// <exception cref="ModelFormatException">The file is no checkpoint, or one of another run.</exception>
    public void Load(string path, string fingerprint)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        if (!file.Metadata.TryGetValue(FingerprintKey, out string? found) || found != fingerprint)
        {
            throw new ModelFormatException(
                $"{path} belongs to a run with other options, backbone or images.{Environment.NewLine}" +
                $"It has {found ?? "none"}{Environment.NewLine}now:   {fingerprint}{Environment.NewLine}" +
                "Resume with the same options, or start anew without --resume.");
        }

        var metadata = new MetadataReader(path, file.Metadata);
        Steps = metadata.Integer(StepsKey, 1, int.MaxValue);
        Step = metadata.Integer(StepKey, 0, Steps);
        _lossCount = metadata.Integer(LossCountKey, 0, Step);
        Revived = metadata.Integer(RevivedKey, 0, int.MaxValue);
        _lossSum = metadata.Number(LossSumKey);
        foreach ((string name, Tensor tensor) in Tensors()) NetworkWeights.Load(file, name, tensor, _backend);
        var curve = new float[file.Get(CurveName).Count];
        file.ReadFloats(CurveName, curve);
        for (int i = 0; i + 2 < curve.Length; i += 3)
            Curve.Add(new DistillationPoint((int)curve[i], curve[i + 1], curve[i + 2]));
    }

    /// <summary>Writes the averaged weights as a teacher: <c>conv1.weight</c> and so on, 16-bit floats.</summary>
    public void SaveTeacher(string path, IEnumerable<KeyValuePair<string, string>> metadata)
    {
        var writer = new SafetensorsWriter();
        foreach ((string key, string value) in metadata) writer.Metadata[key] = value;
        foreach ((Parameter parameter, Tensor average) in Network.Parameters.Zip(Average.Values))
            NetworkWeights.Add(writer, _backend, parameter.Name, average, SafetensorsType.F16);
        writer.Save(path);
    }

    public void Dispose()
    {
        Network.Dispose();
        Average.Dispose();
        Mean.Dispose();
        Deviation.Dispose();
    }

    private IEnumerable<(string Name, Tensor Tensor)> Tensors()
    {
        yield return ("target_mean", Mean);
        yield return ("target_std", Deviation);
        foreach ((Parameter parameter, Tensor average) in Network.Parameters.Zip(Average.Values))
        {
            yield return (parameter.Name, parameter.Value);
            yield return ($"{parameter.Name}.average", average);
            yield return ($"{parameter.Name}.first_moment", parameter.FirstMoment!);
            yield return ($"{parameter.Name}.second_moment", parameter.SecondMoment!);
        }
    }
}
