using EfficientAD.Native;
using EfficientAD.Networks;
using EfficientAD.Networks.Folding;
using EfficientAD.Networks.Quantization;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>Teacher and student from the image to the partial sums of both maps: a launch per layer for both networks
/// together, or more where fusions are switched off. Unpadded networks.</summary>
internal sealed class FusedNetworks : IDisposable
{
    private const int Features = PatchDescriptionNetwork.TeacherChannels, WidenedChannels = 8;

    private readonly CudaStream _stream;
    private readonly KernelLibrary _kernels;
    private readonly FusionOptions _options;
    private readonly LayerWeights[] _teacher, _student;
    private readonly QuantizedNetworks? _quantized;
    private readonly int _samples;
    private readonly List<Action<CudaStream, int>> _hidden = [];
    private readonly List<IDisposable> _parts = [];
    private readonly Action<CudaStream, DecoderMap, int> _last;

    /// <param name="samples">At most so many at a time.</param>
    /// <param name="quantized">The same networks in numbers of 8 bits, with all fusions; null computes with
    /// halves.</param>
    public FusedNetworks(
        CudaStream stream, KernelLibrary kernels, DetectionNetworks networks, HalfImage image, int samples,
        FusionOptions options, QuantizedNetworks? quantized)
    {
        if (quantized is not null && !(options.First && options.Groups && options.Pool && options.Difference))
            throw new ArgumentException("Numbers of 8 bits need all fusions of teacher and student.", nameof(options));
        (_stream, _kernels, _samples, _options, _quantized) = (stream, kernels, samples, options, quantized);
        IBackend backend = networks.Backend;
        _teacher = [.. networks.Teacher.Layers.Select(layer => LayerWeights.Of(backend, layer))];
        _student = [.. networks.Student.Layers.Select(layer => LayerWeights.Of(backend, layer))];
        _teacher[^1] = _teacher[^1].Normalized(backend.Download(networks.Mean), backend.Download(networks.Deviation));
        HalfMap map = AddFirst(image);
        for (int i = 1; i < _teacher.Length - 1; i++) map = AddHidden(i, map);
        LayerWeights decoder = LayerWeights.Of(backend, networks.Autoencoder.Layers[^1]);
        (Parts, _last) = options.Difference ? AddLast(map, decoder) : AddSeparateLast(map, decoder);
    }

    /// <summary>Partial sums of each map.</summary>
    public int Parts { get; }

    /// <summary>[parts, samples, h, w] float.</summary>
    public nint LocalSums { get; private set; }

    /// <summary>Likewise.</summary>
    public nint GlobalSums { get; private set; }

    /// <summary>How many launches all layers but the last are.</summary>
    public int HiddenLaunches => _hidden.Count;

    /// <summary>All layers but the last.</summary>
    public void LaunchHidden(CudaStream stream, int samples)
    {
        foreach (Action<CudaStream, int> launch in _hidden) launch(stream, samples);
    }

    /// <summary>The last layers, once the autoencoder is done, too.</summary>
    public void LaunchLast(CudaStream stream, in DecoderMap decoder, int samples) => _last(stream, decoder, samples);

    public void Dispose()
    {
        foreach (IDisposable part in _parts) part.Dispose();
    }

    private bool UsesHopper => _options.Hopper && _stream.Context.Device.ComputeCapability == new Version(9, 0);

    private HalfMap AddFirst(HalfImage image)
    {
        LayerWeights teacher = _teacher[0].ForBytes(bordered: false), student = _student[0].ForBytes(bordered: false);
        (int height, int width, int channels) = (image.Height - 3, image.Width - 3, 2 * teacher.Shape.N);
        HalfMap pooled = NewMap(height / 2, width / 2, channels);
        if (_options.First)
        {
            if (_quantized is not null)
            {
                (teacher, student) =
                    (teacher.Over(_quantized.TeacherSteps(0)), student.Over(_quantized.StudentSteps(0)));
            }

            FirstConvolution first =
                Keep(new FirstConvolution(_stream, _kernels, teacher.Above(student), _quantized?.Format));
            _hidden.Add((stream, n) =>
                first.Launch(stream, image.Address, n, image.Height, image.Width, pooled.Address));
            return pooled;
        }

        HalfLayers layers = new(_kernels);
        HalfMap widened = NewMap(image.Height, image.Width, WidenedChannels), full = NewMap(height, width, channels);
        _hidden.Add((stream, n) => layers.Widen(stream, image, n, widened.Address));
        AddConvolution(teacher, widened, full);
        AddConvolution(student, widened, full.From(teacher.Shape.N));
        _hidden.Add((stream, n) => layers.Pool(stream, full, n, pooled.Address));
        return pooled;
    }

    private HalfMap AddHidden(int index, HalfMap input)
    {
        LayerWeights teacher = _teacher[index], student = _student[index];
        bool pool = index == 1, poolInside = pool && _options.Groups && _options.Pool;
        int lost = teacher.Shape.H - 1, channels = teacher.Shape.N + student.Shape.N;
        (int height, int width) = (input.Height - lost, input.Width - lost);
        HalfMap output = pool ? NewMap(height / 2, width / 2, channels) : NewMap(height, width, channels);
        HalfMap full = pool && !poolInside ? NewMap(height, width, channels) : output;
        if (_options.Groups)
        {
            IHiddenConvolution layer = Keep<IHiddenConvolution>(
                _quantized is { } quantized
                    ? new HiddenConvolution(
                        _stream, _kernels, quantized.Teacher(index), quantized.TeacherSteps(index),
                        quantized.Student(index), quantized.StudentSteps(index), poolInside)
                    : UsesHopper
                        ? new HopperHiddenConvolution(_stream, _kernels, teacher, student, poolInside)
                        : new HiddenConvolution(_stream, _kernels, teacher, student, poolInside));
            _hidden.Add((stream, n) => layer.Launch(stream, input.Address, n, input.Height, input.Width, full.Address));
        }
        else
        {
            AddConvolution(teacher, input, full);
            AddConvolution(student, input.From(teacher.Shape.C), full.From(teacher.Shape.N));
        }

        if (pool && !poolInside)
        {
            HalfLayers layers = new(_kernels);
            _hidden.Add((stream, n) => layers.Pool(stream, full, n, output.Address));
        }

        return output;
    }

    private (int Parts, Action<CudaStream, DecoderMap, int> Launch) AddLast(HalfMap hidden, LayerWeights decoder)
    {
        LayerWeights local = _teacher[^1].Minus(_student[^1].Rows(0, Features));
        LayerWeights student = _student[^1].Rows(Features, Features);
        ILastConvolution last = Keep<ILastConvolution>(
            _quantized is { } quantized
                ? new LastConvolution(_stream, _kernels, quantized.Local, quantized.StudentHalf, decoder)
                : UsesHopper
                    ? new HopperLastConvolution(_stream, _kernels, local, student, decoder)
                    : new LastConvolution(_stream, _kernels, local, student, decoder));
        NewSums(last.PartialSums, hidden);
        return (last.PartialSums, (stream, map, n) => last.Launch(
            stream, hidden.Address, map, n, hidden.Height, hidden.Width, LocalSums, GlobalSums));
    }

    /// <summary>Three feature maps in memory, then their differences.</summary>
    private (int Parts, Action<CudaStream, DecoderMap, int> Launch) AddSeparateLast(
        HalfMap hidden, LayerWeights decoder)
    {
        int lost = _teacher[^1].Shape.H - 1;
        (int height, int width) = (hidden.Height - lost, hidden.Width - lost);
        HalfMap ofTeacher = NewMap(height, width, Features), ofStudent = NewMap(height, width, 2 * Features);
        HalfMap predicted = NewMap(height, width, Features);
        NewSums(1, hidden);
        HalfConvolution teacher = NewConvolution(_teacher[^1], relu: false);
        HalfConvolution student = NewConvolution(_student[^1], relu: false);
        bool isBordered = DecoderColumns.AreNotNeeded(height, width);
        HalfConvolution autoencoder = NewConvolution(isBordered ? decoder : decoder.OverColumns(), relu: false);
        int border = isBordered ? 2 : 0;
        HalfLayers layers = new(_kernels);
        return (1, Launch);

        void Launch(CudaStream stream, DecoderMap map, int n)
        {
            teacher.Launch(stream, hidden, n, ofTeacher);
            student.Launch(stream, hidden.From(_teacher[^1].Shape.C), n, ofStudent);
            autoencoder.Launch(
                stream, new HalfMap(map.Address, height + border, width + border, map.PixelPitch), n, predicted);
            layers.Squares(stream, ofTeacher, ofStudent, n, Features, LocalSums);
            layers.Squares(stream, predicted, ofStudent.From(Features), n, Features, GlobalSums);
        }
    }

    private void AddConvolution(LayerWeights layer, HalfMap input, HalfMap output)
    {
        HalfConvolution convolution = NewConvolution(layer, relu: true);
        _hidden.Add((stream, n) => convolution.Launch(stream, input, n, output));
    }

    private HalfConvolution NewConvolution(LayerWeights layer, bool relu) =>
        Keep(new HalfConvolution(_stream, _kernels, layer, Convolution2dGeometry.Valid, relu));

    private HalfMap NewMap(int height, int width, int channels)
    {
        int valueBytes = _quantized is null ? sizeof(ushort) : sizeof(byte);
        DeviceBuffer memory = Keep(new DeviceBuffer(_stream, (long)_samples * height * width * channels * valueBytes));
        return new HalfMap(memory.Address, height, width, channels);
    }

    private void NewSums(int parts, HalfMap hidden)
    {
        int lost = _teacher[^1].Shape.H - 1;
        long bytes = (long)parts * _samples * (hidden.Height - lost) * (hidden.Width - lost) * sizeof(float);
        (LocalSums, GlobalSums) =
            (Keep(new DeviceBuffer(_stream, bytes)).Address, Keep(new DeviceBuffer(_stream, bytes)).Address);
    }

    private T Keep<T>(T part) where T : IDisposable
    {
        _parts.Add(part);
        return part;
    }
}
