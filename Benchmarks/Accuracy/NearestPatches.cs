using System.Numerics.Tensors;
using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Data;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using Tensor = EfficientAD.Tensors.Tensor;

namespace EfficientAD.Benchmarks.Accuracy;

/// <summary>A nearest-neighbour detector in the manner of PatchCore (Roth et al., CVPR 2022) on EfficientAD's own
/// teacher: a bank of good patches, chosen so that they cover all of them, and the distance to the nearest as the
/// map.</summary>
/// <remarks>As there: features are means over 3 x 3 places, the bank is a greedy coreset found in a random projection.
/// Other than there: one layer of a small teacher instead of two of a WideResNet, no re-weighting of the score, no
/// smoothing of the map.</remarks>
internal sealed class NearestPatches : IDisposable
{
    /// <summary>Patches in the bank.</summary>
    public const int BankSize = 2048;

    private const int Input = 256, Channels = PatchDescriptionNetwork.TeacherChannels;
    private const int Candidates = 32_768, Projected = 64;

    private readonly CpuBackend _backend = new(new CpuOptions());
    private readonly PatchDescriptionNetwork _teacher;
    private readonly Tape _tape;
    private readonly NetworkInput _input;
    private readonly Tensor _image, _features, _averaged, _bank, _halfSquares, _products, _raw;
    private readonly float[] _values, _means, _nearest;

    /// <param name="seed">Of the choice of candidates, the projection and the coreset's start.</param>
    public NearestPatches(AnomalyDataset dataset, ulong seed)
    {
        (_teacher, _) = TeacherFile.Load(null, PdnSize.Small, padded: false, _backend);
        _tape = new Tape(_backend);
        _input = new NetworkInput(_backend, ImageFit.Squash, Input, Input);
        _image = _tape.Allocate(new Shape(1, 3, Input, Input));
        _features = _teacher.Forward(_tape, Variable.Constant(_image)).Value;
        Shape shape = _features.Shape;
        (_values, _means) = (new float[shape.Count], new float[shape.Count]);
        float[][] bank = Coreset(GatherCandidates(dataset.Train, seed), seed);

        _averaged = _tape.Allocate(shape);
        _bank = _tape.Allocate(new Shape(bank.Length, Channels, 1, 1));
        _halfSquares = _tape.Allocate(Shape.Vector(bank.Length));
        _products = _tape.Allocate(shape with { C = bank.Length });
        _raw = _tape.Allocate(shape with { C = 1 });
        _nearest = new float[shape.Plane];
        _backend.Upload(bank.SelectMany(patch => patch).ToArray(), _bank);
        _backend.Upload([.. bank.Select(patch => -0.5f * TensorPrimitives.SumOfSquares<float>(patch))], _halfSquares);
    }

    /// <summary>Scores an image. There is no threshold: the verdict says nothing.</summary>
    public BranchResults Detect(ImageView image)
    {
        // |x - m|^2 = |x|^2 - 2 (x m - |m|^2 / 2): all products with the bank are one 1 x 1 convolution.
        Describe(image);
        _backend.Upload(_means, _averaged);
        _backend.Convolution2d(_averaged, _bank, _halfSquares, Convolution2dGeometry.Valid, relu: false, _products);
        float[] products = _backend.Download(_products);
        int plane = _raw.Shape.Plane;
        products.AsSpan(0, plane).CopyTo(_nearest);
        for (int i = 1; i < _bank.Shape.N; i++)
            TensorPrimitives.Max<float>(_nearest, products.AsSpan(i * plane, plane), _nearest);
        for (int i = 0; i < plane; i++)
        {
            float square = 0;
            for (int c = 0; c < Channels; c++) square += _means[c * plane + i] * _means[c * plane + i];
            _nearest[i] = MathF.Sqrt(MathF.Max(0, square - 2 * _nearest[i]));
        }

        var map = new AnomalyMap(image.Width, image.Height);
        MapPlacement place = MapPlacement.Aligned(padded: false, (Input, Input), (image.Height, image.Width));
        using Tensor resized = _backend.Allocate(new Shape(1, 1, image.Height, image.Width));
        _backend.Upload(_nearest, _raw);
        _backend.ResampleBilinear(_raw, place.ScaleY, place.OffsetY, place.ScaleX, place.OffsetX, resized);
        _backend.Download(resized, map.Values);
        float score = TensorPrimitives.Max<float>(map.Values);
        var result = new DetectionResult(Verdict.Good, score, score, map, null);
        DetectionResult nothing = result with { Score = 0, Map = new AnomalyMap(image.Width, image.Height) };
        return new BranchResults(result, result, nothing);
    }

    public void Dispose()
    {
        _tape.Dispose();
        _teacher.Dispose();
        _backend.Dispose();
    }

    /// <summary>The teacher's features of an image, averaged over 3 x 3 places, at the border over those there
    /// are.</summary>
    private void Describe(ImageView image)
    {
        _input.Write(image, ColourAdjustment.None, _image);
        _tape.Forward();
        _backend.Download(_features, _values);
        (int height, int width) = (_features.Shape.H, _features.Shape.W);
        Parallel.For(0, Channels, c =>
        {
            ReadOnlySpan<float> plane = _values.AsSpan(c * height * width, height * width);
            for (int y = 0; y < height; y++)
            {
                for (int x = 0; x < width; x++)
                {
                    (int top, int bottom) = (Math.Max(0, y - 1), Math.Min(height, y + 2));
                    (int left, int right) = (Math.Max(0, x - 1), Math.Min(width, x + 2));
                    float sum = 0;
                    for (int row = top; row < bottom; row++)
                        sum += TensorPrimitives.Sum<float>(plane[(row * width + left)..(row * width + right)]);
                    _means[(c * height + y) * width + x] = sum / ((bottom - top) * (right - left));
                }
            }
        });
    }

    /// <summary>Patches at random places of all images.</summary>
    private float[][] GatherCandidates(IReadOnlyList<string> paths, ulong seed)
    {
        int plane = _features.Shape.Plane, each = Math.Clamp(Candidates / paths.Count, 1, plane);
        var candidates = new List<float[]>();
        for (int i = 0; i < paths.Count; i++)
        {
            Describe(ImageReader.Default.Read(paths[i]).View);
            foreach (int place in new CounterRandom(seed, (ulong)i).Permutation(plane).AsSpan(0, each))
            {
                var patch = new float[Channels];
                for (int c = 0; c < Channels; c++) patch[c] = _means[c * plane + place];
                candidates.Add(patch);
            }
        }

        return [.. candidates];
    }

    /// <summary>Takes, again and again, the candidate that lies furthest from those taken.</summary>
    private static float[][] Coreset(float[][] candidates, ulong seed)
    {
        if (candidates.Length <= BankSize) return candidates;
        float[][] projected = Project(candidates, seed);
        var distances = new float[candidates.Length];
        Array.Fill(distances, float.PositiveInfinity);
        var bank = new float[BankSize][];
        int next = new CounterRandom(seed, ulong.MaxValue).Below(0, candidates.Length);
        for (int i = 0; i < BankSize; i++)
        {
            bank[i] = candidates[next];
            float[] taken = projected[next];
            Parallel.For(0, 16, part =>
            {
                for (int j = part * distances.Length / 16; j < (part + 1) * distances.Length / 16; j++)
                    distances[j] = MathF.Min(distances[j], TensorPrimitives.Distance<float>(projected[j], taken));
            });
            next = TensorPrimitives.IndexOfMax<float>(distances);
        }

        return bank;
    }

    /// <summary>Distances survive a random projection well enough (Johnson and Lindenstrauss).</summary>
    private static float[][] Project(float[][] candidates, ulong seed)
    {
        var random = new CounterRandom(seed, ulong.MaxValue - 1);
        var directions = new float[Projected][];
        for (int p = 0; p < Projected; p++)
            directions[p] = [.. Enumerable.Range(0, Channels).Select(c => random.Normal((ulong)(p * Channels + c)))];
        var projected = new float[candidates.Length][];
        Parallel.For(0, candidates.Length, i =>
            projected[i] = Array.ConvertAll(
                directions, direction => TensorPrimitives.Dot<float>(candidates[i], direction)));
        return projected;
    }
}
