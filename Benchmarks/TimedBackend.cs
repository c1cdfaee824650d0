using System.Diagnostics;
using System.Runtime.InteropServices;
using EfficientAD.Backends;
using EfficientAD.Imaging;
using EfficientAD.Tensors;

namespace EfficientAD.Benchmarks;

/// <summary>A backend that passes every call on and keeps its time. A step makes the same calls in the same order: the
/// i-th call of every step is one row.</summary>
/// <param name="threads">Of the backend; processor time beside the clock tells what share of them was idle.</param>
internal sealed partial class TimedBackend(IBackend backend, int threads) : IBackend
{
    private readonly List<Samples> _calls = [];
    private bool _isCounted;
    private int _next;

    /// <summary>One call of a step: medians over the counted steps.</summary>
    /// <param name="Products">Multiply-adds of the direct way; 0 where the call is no convolution.</param>
    /// <param name="Idle">Share of the threads' time; NaN where the system does not tell.</param>
    public readonly record struct Call(string Name, string Shape, double Products, double Milliseconds, double Idle);

    private sealed record Samples(string Name, string Shape, double Products)
    {
        public List<double> Wall { get; } = [];

        public List<double> Processor { get; } = [];
    }

    public string Name => backend.Name;

    public IEnumerable<Call> Calls => _calls.Where(call => call.Wall.Count > 0).Select(call =>
    {
        double wall = call.Wall.Sum();
        return new Call(
            call.Name, call.Shape, call.Products, call.Wall.Order().ElementAt(call.Wall.Count / 2),
            Math.Max(0, 1 - call.Processor.Sum() / (threads * wall)));
    });

    /// <param name="isCounted">Whether the step's times are kept.</param>
    public void BeginStep(bool isCounted)
    {
        (_isCounted, _next) = (isCounted, 0);
        if (!isCounted) _calls.Clear();  // the first steps make calls that later ones do not
    }

    public Tensor Allocate(Shape shape) => backend.Allocate(shape);

    public Recording Record(Action work) => backend.Record(work);

    public void Upload(ReadOnlySpan<float> source, Tensor destination) => backend.Upload(source, destination);

    public void Download(Tensor source, Span<float> destination) => backend.Download(source, destination);

    public void Fill(float value, Tensor destination) =>
        Time(nameof(Fill), destination.Shape, () => backend.Fill(value, destination));

    public void Copy(Tensor source, Tensor destination) =>
        Time(nameof(Copy), destination.Shape, () => backend.Copy(source, destination));

    public void Preprocess(
        ImageView image, ColourAdjustment adjustment, int resizedHeight, int resizedWidth, Tensor output)
    {
        long start = Stopwatch.GetTimestamp();
        double processor = ProcessorMilliseconds();
        backend.Preprocess(image, adjustment, resizedHeight, resizedWidth, output);
        Keep(nameof(Preprocess), output.Shape.ToString(), 0, start, processor);
    }

    public void Convolution2d(
        Tensor input, Tensor weights, Tensor? bias, Convolution2dGeometry geometry, bool relu, Tensor output) =>
        Time(nameof(Convolution2d), input.Shape, weights.Shape, output.Shape,
            () => backend.Convolution2d(input, weights, bias, geometry, relu, output));

    public void Convolution2dInputGradient(
        Tensor outputGradient, Tensor weights, Convolution2dGeometry geometry, Tensor inputGradient) =>
        Time(nameof(Convolution2dInputGradient), inputGradient.Shape, weights.Shape, outputGradient.Shape,
            () => backend.Convolution2dInputGradient(outputGradient, weights, geometry, inputGradient));

    public void Convolution2dWeightGradient(
        Tensor input, Tensor outputGradient, Convolution2dGeometry geometry, Tensor weightGradient,
        Tensor? biasGradient) =>
        Time(nameof(Convolution2dWeightGradient), input.Shape, weightGradient.Shape, outputGradient.Shape,
            () => backend.Convolution2dWeightGradient(input, outputGradient, geometry, weightGradient, biasGradient));

    public void ReluBackward(Tensor output, Tensor outputGradient) =>
        Time(nameof(ReluBackward), output.Shape, () => backend.ReluBackward(output, outputGradient));

    public void AveragePool2d(Tensor input, int padding, Tensor output) =>
        Time(nameof(AveragePool2d), input.Shape, () => backend.AveragePool2d(input, padding, output));

    public void AveragePool2dBackward(Tensor outputGradient, int padding, Tensor inputGradient) =>
        Time(nameof(AveragePool2dBackward), inputGradient.Shape,
            () => backend.AveragePool2dBackward(outputGradient, padding, inputGradient));

    public void ResizeBilinear(Tensor input, Tensor output) =>
        Time(nameof(ResizeBilinear), output.Shape, () => backend.ResizeBilinear(input, output));

    public void ResizeBilinearBackward(Tensor outputGradient, Tensor inputGradient) =>
        Time(nameof(ResizeBilinearBackward), outputGradient.Shape,
            () => backend.ResizeBilinearBackward(outputGradient, inputGradient));

    public void Dropout(Tensor input, float rate, CounterRandom random, Tensor output) =>
        Time(nameof(Dropout), input.Shape, () => backend.Dropout(input, rate, random, output));

    public void DropoutBackward(Tensor outputGradient, float rate, CounterRandom random, Tensor inputGradient) =>
        Time(nameof(DropoutBackward), inputGradient.Shape,
            () => backend.DropoutBackward(outputGradient, rate, random, inputGradient));

    public void NormalizeChannels(Tensor input, Tensor mean, Tensor deviation, Tensor output) =>
        Time(nameof(NormalizeChannels), input.Shape, () => backend.NormalizeChannels(input, mean, deviation, output));

    public LayerStack? Stack(Tensor input, IReadOnlyList<StackedLayer> layers, IReadOnlyList<StackHead> heads) =>
        backend.Stack(input, layers, heads) is { } stack ? new TimedStack(this, stack, input.Shape) : null;

    public void ChannelMoments(Tensor input, Span<double> mean, Span<double> squaredDeviations) =>
        backend.ChannelMoments(input, mean, squaredDeviations);

    public void Quantile(Tensor values, float q, Tensor output) =>
        Time(nameof(Quantile), values.Shape, () => backend.Quantile(values, q, output));

    public void MeanSquaredError(Tensor a, Tensor? b, Tensor loss) =>
        Time(nameof(MeanSquaredError), a.Shape, () => backend.MeanSquaredError(a, b, loss));

    public void MeanSquaredErrorBackward(
        Tensor a, Tensor? b, Tensor lossGradient, Tensor? aGradient, Tensor? bGradient) =>
        Time(nameof(MeanSquaredErrorBackward), a.Shape,
            () => backend.MeanSquaredErrorBackward(a, b, lossGradient, aGradient, bGradient));

    public void HardFeatureLoss(Tensor teacher, Tensor student, float q, Tensor threshold, Tensor loss) =>
        Time(nameof(HardFeatureLoss), student.Shape,
            () => backend.HardFeatureLoss(teacher, student, q, threshold, loss));

    public void HardFeatureLossBackward(
        Tensor teacher, Tensor student, Tensor threshold, Tensor lossGradient, Tensor studentGradient) =>
        Time(nameof(HardFeatureLossBackward), student.Shape,
            () => backend.HardFeatureLossBackward(teacher, student, threshold, lossGradient, studentGradient));

    public void Add(Tensor source, Tensor destination) =>
        Time(nameof(Add), source.Shape, () => backend.Add(source, destination));

    public void Adam(
        Tensor gradient, AdamSettings settings, int step, Tensor firstMoment, Tensor secondMoment, Tensor parameter) =>
        Time(nameof(Adam), parameter.Shape,
            () => backend.Adam(gradient, settings, step, firstMoment, secondMoment, parameter));

    public void SquaredDifferenceMap(Tensor a, Tensor b, Tensor map) => backend.SquaredDifferenceMap(a, b, map);

    public void WeighPlaces(Tensor maps, Tensor weights, Tensor result) => backend.WeighPlaces(maps, weights, result);

    public void CombineMaps(
        Tensor local, Tensor global, float localScale, float globalScale, float offset, Tensor combined) =>
        backend.CombineMaps(local, global, localScale, globalScale, offset, combined);

    public void ResampleBilinear(
        Tensor input, float scaleY, float offsetY, float scaleX, float offsetX, Tensor output) =>
        backend.ResampleBilinear(input, scaleY, offsetY, scaleX, offsetX, output);

    public void Pad(Tensor input, int border, float value, Tensor output) => backend.Pad(input, border, value, output);

    public void Maximum(Tensor input, Tensor output) => backend.Maximum(input, output);

    public void Dispose() => backend.Dispose();

    private sealed class TimedStack(TimedBackend timer, LayerStack stack, Shape input) : LayerStack
    {
        public override IReadOnlyList<StackedLayer> Layers => stack.Layers;

        public override IReadOnlyList<StackHead> Heads => stack.Heads;

        public override IReadOnlyList<Tensor> Outputs => stack.Outputs;

        public override void Forward(int layer) => Time(nameof(Forward), layer, () => stack.Forward(layer));

        public override void ForwardHead(int head) =>
            TimeHead(nameof(ForwardHead), head, () => stack.ForwardHead(head));

        public override void BeginBackward(int output, Tensor gradient)
        {
            void Call() => stack.BeginBackward(output, gradient);
            if (Heads.Count > 0) TimeHead(nameof(BeginBackward), output, Call);
            else timer.Time($"Stack.{nameof(BeginBackward)}", gradient.Shape, Call);
        }

        public override void WeightGradient(int layer) =>
            Time(nameof(WeightGradient), layer, () => stack.WeightGradient(layer));

        public override void InputGradient(int layer) =>
            Time(nameof(InputGradient), layer, () => stack.InputGradient(layer));

        public override void Dispose() => stack.Dispose();

        private void Time(string name, int layer, Action call)
        {
            Shape from = layer == 0 ? input : OutputShape([.. Layers.Take(layer)], input);
            Shape kernel = Layers[layer].Weights.Shape;
            var to = new Shape(from.N, kernel.N, from.H - kernel.H + 1, from.W - kernel.W + 1);
            timer.Time($"Stack.{name}", from, kernel, to, call);
        }

        private void TimeHead(string name, int head, Action call)
        {
            Shape hidden = OutputShape(Layers, input), from = hidden with { N = Heads[head].Count };
            timer.Time($"Stack.{name}", from, Heads[head].Weights.Shape, Heads[head].OutputShape(hidden), call);
        }
    }

    private void Time(string name, Shape input, Shape weights, Shape output, Action call) =>
        Time(name, $"{input} x {weights}", (double)output.N * output.Plane * weights.Count, call);

    private void Time(string name, Shape shape, Action call) => Time(name, shape.ToString(), 0, call);

    private void Time(string name, string shape, double products, Action call)
    {
        double processor = ProcessorMilliseconds();
        long start = Stopwatch.GetTimestamp();
        call();
        Keep(name, shape, products, start, processor);
    }

    private void Keep(string name, string shape, double products, long start, double processor)
    {
        double wall = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        if (_next == _calls.Count) _calls.Add(new Samples(name, shape, products));
        Samples samples = _calls[_next++];
        if (samples.Name != name || samples.Shape != shape)
        {
            throw new InvalidOperationException(
                $"Call {_next} of a step was {samples.Name} {samples.Shape}, now {name} {shape}.");
        }

        if (!_isCounted) return;
        samples.Wall.Add(wall);
        samples.Processor.Add(ProcessorMilliseconds() - processor);
    }

    /// <summary>Processor time of all threads, finer than the ticks that .NET reads.</summary>
    private static double ProcessorMilliseconds()
    {
        const int ProcessClock = 2;
        if (!OperatingSystem.IsLinux() || ReadClock(ProcessClock, out TimeSpec time) != 0) return double.NaN;
        return 1e3 * time.Seconds + 1e-6 * time.Nanoseconds;
    }

    private struct TimeSpec
    {
        public long Seconds, Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ReadClock(int clock, out TimeSpec time);
}
