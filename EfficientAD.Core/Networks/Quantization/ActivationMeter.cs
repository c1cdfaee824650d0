using EfficientAD.Autograd;
using EfficientAD.Autograd.Operations;
using EfficientAD.Backends;
using EfficientAD.Tensors;

namespace EfficientAD.Networks.Quantization;

/// <summary>Computes the hidden maps of teacher and student, image by image, and takes down what they hold.</summary>
internal sealed class ActivationMeter : IDisposable
{
    private readonly IBackend _backend;
    private readonly Tape _tape;
    private readonly List<float[]> _largest = [];
    private readonly List<double[]> _sums = [];
    private int _images;

    /// <param name="networks">Without padding; their backend computes.</param>
    /// <param name="height">Of the networks' input in pixels.</param>
    /// <param name="width">Of the same.</param>
    public ActivationMeter(DetectionNetworks networks, int height, int width)
    {
        (_backend, _tape) = (networks.Backend, new Tape(networks.Backend));
        Image = _tape.Allocate(new Shape(1, 3, height, width));
        Teacher = Record(networks.Teacher);
        Student = Record(networks.Student);
        foreach (Tensor map in Teacher.Concat(Student))
        {
            _largest.Add(new float[map.Shape.C]);
            _sums.Add(new double[map.Shape.C]);
        }
    }

    /// <summary>To be written by the caller.</summary>
    public Tensor Image { get; }

    /// <summary>The teacher's hidden maps, pooled where it pools.</summary>
    public IReadOnlyList<Tensor> Teacher { get; }

    /// <summary>The student's.</summary>
    public IReadOnlyList<Tensor> Student { get; }

    /// <summary>Computes the maps of the image.</summary>
    public void Compute() => _tape.Forward();

    /// <summary>Takes the maps into account.</summary>
    public void Add()
    {
        _images++;
        int index = 0;
        foreach (Tensor map in Teacher.Concat(Student))
        {
            float[] values = _backend.Download(map);
            int plane = map.Shape.Plane;
            for (int channel = 0; channel < map.Shape.C; channel++)
            {
                double sum = 0;
                foreach (float value in values.AsSpan(channel * plane, plane))
                {
                    sum += value;
                    _largest[index][channel] = MathF.Max(_largest[index][channel], value);
                }

                _sums[index][channel] += sum / plane;
            }

            index++;
        }
    }

    /// <summary>Of all images that were added.</summary>
    public HiddenActivations Result()
    {
        MapActivations[] all = [.. _largest.Select((largest, i) => new MapActivations(
            largest, Array.ConvertAll(_sums[i], sum => (float)(sum / _images))))];
        return new HiddenActivations(all[..Teacher.Count], all[Teacher.Count..]);
    }

    public void Dispose() => _tape.Dispose();

    private List<Tensor> Record(PatchDescriptionNetwork network)
    {
        List<Tensor> maps = [];
        Variable x = Variable.Constant(Image);
        for (int i = 0; i < network.Layers.Count - 1; i++)
        {
            x = network.Layers[i].Forward(_tape, x);
            if (i < PatchDescriptionNetwork.PooledLayers) x = _tape.AveragePool2d(x, padding: 0);
            maps.Add(x.Value);
        }

        return maps;
    }
}
