using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Imaging;
using EfficientAD.Models;

namespace EfficientAD.Detection;

/// <summary>The detectors of many products on one processor. Those whose models hold the same teacher share it: its
/// weights are in memory once, and a frame that several of them judge passes through it once. Results have the same
/// bits as those of a detector by itself.</summary>
/// <remarks>Thread-safe. Detectors of a set take turns, so that one call computes on all threads of the set; products
/// are loaded and disposed while others run, between two of their frames.</remarks>
public sealed class ProductSet : IDisposable
{
    private readonly Dictionary<
        (UInt128 Hash, int Height, int Width, ImageFit Fit), (SharedTeacher Teacher, int Products)> _teachers = [];
    private readonly DetectorOptions _options;
    private readonly IBackend _backend;
    private readonly bool _ownsBackend;
    private bool _isDisposed;

    /// <exception cref="NotSupportedException">The options name a CUDA device that cannot be used.</exception>
    public ProductSet(DetectorOptions? options = null)
    {
        _options = options ?? new DetectorOptions();
        _backend = _options.Device.Open(new CpuOptions { Threads = _options.Threads }, _options.Cuda);
        _ownsBackend = true;
    }

    /// <summary>A set on a backend that the caller made.</summary>
    /// <param name="backend">Stays the caller's and must outlive the set; nothing else uses it meanwhile.</param>
    /// <param name="options">What they say of the processor is not looked at.</param>
    public ProductSet(IBackend backend, DetectorOptions? options = null) =>
        (_backend, _options) = (backend, options ?? new DetectorOptions());

    /// <summary>How many teachers are in memory.</summary>
    public int Teachers
    {
        get
        {
            lock (Lock) return _teachers.Count;
        }
    }

    /// <summary>Held by whoever computes.</summary>
    internal Lock Lock { get; } = new();

    /// <summary>Loads a product's model.</summary>
    /// <returns>A detector as any other; dispose it, before the set, when the product is not made any more.</returns>
    /// <exception cref="ModelFormatException">The file is no model, or is damaged.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public AnomalyDetector Load(string path)
    {
        using ModelFile model = ModelFile.Open(path);
        var key =
            (model.HashTeacher(), model.Information.InputHeight, model.Information.InputWidth, model.Information.Fit);
        lock (Lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            (SharedTeacher teacher, int products) = _teachers.TryGetValue(key, out var known)
                ? known
                : (new SharedTeacher(_backend, model), 0);
            _teachers[key] = (teacher, products + 1);
            try
            {
                return new AnomalyDetector(model, _backend, _options, this, teacher);
            }
            catch
            {
                Release(teacher);
                throw;
            }
        }
    }

    /// <summary>Judges one image as several products, for a line that does not know which part comes, or whose models
    /// each look for something else.</summary>
    /// <param name="image">8-bit pixels of any format.</param>
    /// <param name="products">Detectors of this set.</param>
    /// <param name="maps">Overwritten, of the image's size, one for each product or null; empty if only scores are
    /// wanted.</param>
    /// <param name="results">Overwritten, in the products' order.</param>
    /// <exception cref="ArgumentException">A detector is of another set, a length differs, or a map has another size
    /// than the image.</exception>
    public void Detect(
        ImageView image, ReadOnlySpan<AnomalyDetector> products, ReadOnlySpan<AnomalyMap?> maps,
        Span<DetectionResult> results)
    {
        if (results.Length != products.Length || (maps.Length != products.Length && !maps.IsEmpty))
        {
            throw new ArgumentException(
                $"{products.Length} products need as many results and as many maps or none, not {results.Length} and " +
                $"{maps.Length}.");
        }

        foreach (AnomalyDetector product in products)
        {
            if (product.Set != this)
            {
                throw new ArgumentException(
                    "A detector belongs to no set or another one: load it with this set.", nameof(products));
            }
        }

        string? fault = FrameCheck.FindFault(image);
        lock (Lock)
        {
            for (int i = 0; i < products.Length; i++)
            {
                if (IsSharedBefore(products, i)) continue;
                bool isComputed = false;
                for (int j = i; j < products.Length; j++)
                {
                    if (products[j].Teacher != products[i].Teacher) continue;
                    AnomalyMap? map = maps.IsEmpty ? null : maps[j];
                    results[j] = products[j].DetectWithOthers(image, fault, map, ref isComputed);
                }
            }
        }
    }

    /// <summary>Frees what the set shares. Dispose its detectors first.</summary>
    public void Dispose()
    {
        lock (Lock)
        {
            if (_isDisposed) return;
            _isDisposed = true;
            foreach ((SharedTeacher teacher, _) in _teachers.Values) teacher.Dispose();
            _teachers.Clear();
            if (_ownsBackend) _backend.Dispose();
        }
    }

    /// <summary>Lets go of a teacher that one product less needs.</summary>
    internal void Release(SharedTeacher teacher)
    {
        foreach ((var key, (SharedTeacher known, int products)) in _teachers)
        {
            if (known != teacher) continue;
            if (products > 1)
            {
                _teachers[key] = (known, products - 1);
            }
            else
            {
                _teachers.Remove(key);
                known.Dispose();
            }

            return;
        }
    }

    private static bool IsSharedBefore(ReadOnlySpan<AnomalyDetector> products, int index)
    {
        foreach (AnomalyDetector product in products[..index])
        {
            if (product.Teacher == products[index].Teacher) return true;
        }

        return false;
    }
}
