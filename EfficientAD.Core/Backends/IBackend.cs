using EfficientAD.Imaging;
using EfficientAD.Tensors;

namespace EfficientAD.Backends;

/// <summary>The primitives of the method on one kind of processor.</summary>
/// <remarks>
/// Order of parameters: sources, arguments, destinations. A destination is overwritten unless its name ends in
/// "Gradient": gradients are accumulated into. Tensors are [n, c, h, w] and belong to this backend. Shapes that clash
/// throw <see cref="ArgumentException"/>. The same call on the same values gives the same bits, whatever the number of
/// threads. NaN is never hidden: it appears in every output that depends on it. Not thread-safe.
/// </remarks>
public interface IBackend : IDisposable
{
    /// <summary>The processor in words.</summary>
    string Name { get; }

    // ---- memory

    /// <summary>A new tensor, all zero.</summary>
    Tensor Allocate(Shape shape);

    void Upload(ReadOnlySpan<float> source, Tensor destination);

    /// <summary>Waits for all work on <paramref name="source"/>, then copies its values to the host.</summary>
    void Download(Tensor source, Span<float> destination);

    void Fill(float value, Tensor destination);

    void Copy(Tensor source, Tensor destination);

    /// <summary>Prepares work that will run again and again on the same tensors, for as little cost per run as the
    /// backend can.</summary>
    /// <param name="work">Calls of this backend that neither upload nor download; the same with the same arguments each
    /// time. Nothing is run yet.</param>
    Recording Record(Action work);

    // ---- from pixels to the networks' input

    /// <summary>Adjusts colours, squash-resizes exactly as Pillow's BILINEAR does (anti-aliased, 8 bits between the two
    /// passes), crops the centre, and normalises with ImageNet's mean and standard deviation.</summary>
    /// <param name="image">Any size and format.</param>
    /// <param name="adjustment">Applied before the resize.</param>
    /// <param name="resizedHeight">Height after the resize, at least the output's.</param>
    /// <param name="resizedWidth">Width after the resize, at least the output's.</param>
    /// <param name="output">[1, 3, h, w], RGB.</param>
    void Preprocess(ImageView image, ColourAdjustment adjustment, int resizedHeight, int resizedWidth, Tensor output);

    // ---- layers

    /// <summary>Cross-correlation, as every framework's "convolution": [n, ci, h, w] x [co, ci, kh, kw] + bias -> [n,
    /// co, oh, ow].</summary>
    /// <param name="bias">[1, co, 1, 1], or null.</param>
    /// <param name="relu">Replaces negative outputs by zero.</param>
    void Convolution2d(
        Tensor input, Tensor weights, Tensor? bias, Convolution2dGeometry geometry, bool relu, Tensor output);

    void Convolution2dInputGradient(
        Tensor outputGradient, Tensor weights, Convolution2dGeometry geometry, Tensor inputGradient);

    void Convolution2dWeightGradient(
        Tensor input, Tensor outputGradient, Convolution2dGeometry geometry, Tensor weightGradient,
        Tensor? biasGradient);

    /// <summary>Sets to zero, in place, the gradient wherever a rectified output is zero.</summary>
    void ReluBackward(Tensor output, Tensor outputGradient);

    /// <summary>Mean over windows of 2 x 2, stride 2; a last odd row or column is dropped; padding counts as
    /// zeros.</summary>
    void AveragePool2d(Tensor input, int padding, Tensor output);

    void AveragePool2dBackward(Tensor outputGradient, int padding, Tensor inputGradient);

    /// <summary>Bilinear interpolation without anti-aliasing, align_corners = false, to the output's size.</summary>
    void ResizeBilinear(Tensor input, Tensor output);

    void ResizeBilinearBackward(Tensor outputGradient, Tensor inputGradient);

    /// <summary>Zeroes each value with probability <paramref name="rate"/> and divides the others by 1 - rate.
    /// Value i is dropped when <c>random.Uniform(i)</c> is below the rate.</summary>
    void Dropout(Tensor input, float rate, CounterRandom random, Tensor output);

    void DropoutBackward(Tensor outputGradient, float rate, CounterRandom random, Tensor inputGradient);

    /// <summary>(input - mean) / deviation, per channel.</summary>
    /// <param name="mean">[1, c, 1, 1].</param>
    /// <param name="deviation">[1, c, 1, 1], positive.</param>
    void NormalizeChannels(Tensor input, Tensor mean, Tensor deviation, Tensor output);

    /// <summary>Makes one operation of several rectified convolutions.</summary>
    /// <param name="input">[n, c, h, w], read at every run.</param>
    /// <param name="heads">Their kernels have one size; no sample belongs to two.</param>
    /// <returns>Null where the backend has no better way than layer by layer.</returns>
    LayerStack? Stack(Tensor input, IReadOnlyList<StackedLayer> layers, IReadOnlyList<StackHead> heads) => null;

    // ---- statistics, losses, optimiser

    /// <summary>Per channel over batch and pixels: the mean and the sum of squared deviations from it, in
    /// double.</summary>
    void ChannelMoments(Tensor input, Span<double> mean, Span<double> squaredDeviations);

    /// <summary>Per sample the q-quantile of all values, exact, with linear interpolation between neighbours.</summary>
    /// <param name="output">[n, 1, 1, 1]; NaN where a value is NaN.</param>
    void Quantile(Tensor values, float q, Tensor output);

    /// <summary>Mean of (a - b)^2 over everything; mean of a^2 where <paramref name="b"/> is null.</summary>
    /// <param name="loss">[1, 1, 1, 1].</param>
    void MeanSquaredError(Tensor a, Tensor? b, Tensor loss);

    /// <param name="lossGradient">[1, 1, 1, 1].</param>
    void MeanSquaredErrorBackward(Tensor a, Tensor? b, Tensor lossGradient, Tensor? aGradient, Tensor? bGradient);

    /// <summary>The hard-feature loss (paper, section 3.2): per sample the mean of those (teacher - student)^2 that
    /// reach their q-quantile; averaged over the batch.</summary>
    /// <param name="threshold">[n, 1, 1, 1], the quantile of each sample, for the backward pass.</param>
    /// <param name="loss">[1, 1, 1, 1].</param>
    void HardFeatureLoss(Tensor teacher, Tensor student, float q, Tensor threshold, Tensor loss);

    /// <summary>The gradient is non-zero in about a fraction 1 - q of the student's values.</summary>
    void HardFeatureLossBackward(
        Tensor teacher, Tensor student, Tensor threshold, Tensor lossGradient, Tensor studentGradient);

    /// <summary>destination += source.</summary>
    void Add(Tensor source, Tensor destination);

    /// <summary>One step of Adam on one parameter; both moments are updated in place.</summary>
    /// <param name="step">1 for the first step.</param>
    void Adam(
        Tensor gradient, AdamSettings settings, int step, Tensor firstMoment, Tensor secondMoment, Tensor parameter);

    /// <summary>One step of Adam on several parameters, in as few calls of a device as the backend can; their gradients
    /// are zero afterwards.</summary>
    /// <param name="parameters">The same list at every step.</param>
    /// <param name="step">1 for the first step.</param>
    void Adam(IReadOnlyList<AdamTensors> parameters, AdamSettings settings, int step)
    {
        foreach ((Tensor gradient, Tensor firstMoment, Tensor secondMoment, Tensor parameter) in parameters)
        {
            Adam(gradient, settings, step, firstMoment, secondMoment, parameter);
            Fill(0, gradient);
        }
    }

    // ---- maps

    /// <summary>Mean over channels of (a - b)^2: [n, c, h, w] -> [n, 1, h, w].</summary>
    void SquaredDifferenceMap(Tensor a, Tensor b, Tensor map);

    /// <summary>Every value becomes the mean of itself and its up to eight neighbours, each times the weight of its
    /// place.</summary>
    /// <param name="maps">[n, c, h, w].</param>
    /// <param name="weights">[1, 1, h, w], for all planes.</param>
    /// <param name="result">Of the maps' shape; must not be the maps.</param>
    void WeighPlaces(Tensor maps, Tensor weights, Tensor result);

    /// <summary>localScale * local + globalScale * global + offset.</summary>
    void CombineMaps(Tensor local, Tensor global, float localScale, float globalScale, float offset, Tensor combined);

    /// <summary>Bilinear interpolation at chosen places: output row i samples the input at (i + 0.5) * scale + offset
    /// (0 is the centre of the first row), moved inside where it lies outside; columns likewise.</summary>
    void ResampleBilinear(Tensor input, float scaleY, float offsetY, float scaleX, float offsetX, Tensor output);

    /// <summary>Surrounds every plane with <paramref name="border"/> rows and columns of
    /// <paramref name="value"/>.</summary>
    void Pad(Tensor input, int border, float value, Tensor output);

    /// <summary>Per sample the largest value: [n, c, h, w] -> [n, 1, 1, 1]; NaN if any value is NaN.</summary>
    void Maximum(Tensor input, Tensor output);
}
