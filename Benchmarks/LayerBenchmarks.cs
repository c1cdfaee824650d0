using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Tensors;

namespace EfficientAD.Benchmarks;

/// <summary>The convolutions of PDN-S at 256 x 256, one by one: forward, input gradient, weight gradient.</summary>
[SimpleJob(RunStrategy.Monitoring, launchCount: 1, warmupCount: 3, iterationCount: 15)]
public class LayerBenchmarks
{
    private static readonly Dictionary<string, (int Inputs, int Size, int Outputs, int Kernel)> Layers = new()
    {
        ["conv1"] = (3, 256, 128, 4),
        ["conv2"] = (128, 126, 256, 4),
        ["conv3"] = (256, 61, 256, 3),
        ["conv4"] = (256, 59, 384, 4),
    };

    private CpuBackend _backend = null!;
    private Tensor _input = null!, _weights = null!, _output = null!;
    private Tensor _inputGradient = null!, _weightGradient = null!, _outputGradient = null!;

    [Params("conv1", "conv2", "conv3", "conv4")]
    public string Layer { get; set; } = "";

    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        (int inputs, int size, int outputs, int kernel) = Layers[Layer];
        int outputSize = Convolution2dGeometry.Valid.OutputSize(size, kernel);
        _backend = new CpuBackend(new CpuOptions { Threads = Threads });
        Shape input = new(1, inputs, size, size), weights = new(outputs, inputs, kernel, kernel);
        var output = new Shape(1, outputs, outputSize, outputSize);
        (_input, _inputGradient) = (Random(input, 1), _backend.Allocate(input));
        (_weights, _weightGradient) = (Random(weights, 2), _backend.Allocate(weights));
        (_output, _outputGradient) = (_backend.Allocate(output), Random(output, 3));
    }

    [Benchmark]
    public void Forward() => _backend.Convolution2d(_input, _weights, null, Convolution2dGeometry.Valid, true, _output);

    [Benchmark]
    public void InputGradient() =>
        _backend.Convolution2dInputGradient(_outputGradient, _weights, Convolution2dGeometry.Valid, _inputGradient);

    [Benchmark]
    public void WeightGradient() =>
        _backend.Convolution2dWeightGradient(
            _input, _outputGradient, Convolution2dGeometry.Valid, _weightGradient, null);

    [GlobalCleanup]
    public void Cleanup()
    {
        Tensor[] tensors = [_input, _weights, _output, _inputGradient, _weightGradient, _outputGradient];
        foreach (Tensor tensor in tensors) tensor.Dispose();
        _backend.Dispose();
    }

    private Tensor Random(Shape shape, ulong stream)
    {
        var random = new CounterRandom(1, stream);
        var values = new float[shape.Count];
        for (int i = 0; i < values.Length; i++) values[i] = random.Uniform((ulong)i, -1, 1);
        Tensor tensor = _backend.Allocate(shape);
        _backend.Upload(values, tensor);
        return tensor;
    }
}
