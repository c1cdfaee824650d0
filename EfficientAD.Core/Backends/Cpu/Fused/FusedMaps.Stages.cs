using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Networks;
using EfficientAD.Networks.Folding;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>The plan with its forms: 4 x 4 and 3 x 3 kernels of the hidden layers, 4 x 4 kernels of the last ones.</summary>
internal sealed unsafe class FusedMaps<TForm4x4, TForm3x3, TLast, TKernels, TVector, TLanes> : FusedMaps
    where TForm4x4 : struct, IFilterForm
    where TForm3x3 : struct, IFilterForm
    where TLast : struct, IFilterForm
    where TKernels : struct, IProductKernels
    where TLanes : struct, ILanes<TVector>
{
    private readonly CpuBackend _backend;
    private readonly PlanesMemory<TKernels> _planes;
    private readonly ScratchMemory _scratch = new();
    private readonly FusedRegion _hidden, _last;
    private readonly IDisposable _lastLayer;
    private int _samples;

    public FusedMaps(FusedSource source)
    {
        (_backend, Shape image, _samples) = (source.Backend, source.Image.Shape, source.Image.Shape.N);
        int height = PatchDescriptionNetwork.OutputSize(image.H, padded: false);
        int width = PatchDescriptionNetwork.OutputSize(image.W, padded: false);
        LocalMap = _backend.Allocate(new Shape(image.N, 1, height, width));
        GlobalMap = _backend.Allocate(LocalMap.Shape);
        _planes = new PlanesMemory<TKernels>(image.N);
        (_hidden, _last, _lastLayer) = source.Teacher.Size == PdnSize.Small
            ? Regions<TLast>(source)
            : Regions<Form1x1<TVector, TLanes>>(source);
    }

    public override Tensor LocalMap { get; }

    public override Tensor GlobalMap { get; }

    public override IEnumerable<FusedLayer> Layers => _hidden.Layers.Concat(_last.Layers);

    public override void Compute(int samples)
    {
        if (samples != _samples)
        {
            foreach (FusedLayer layer in Layers) layer.Take(samples);
            _samples = samples;
        }

        _hidden.Run(_backend.Pool);
        _last.Run(_backend.Pool);
    }

    public override void Dispose()
    {
        foreach (FusedLayer layer in Layers) layer.Dispose();
        foreach (IDisposable part in new IDisposable[] { _lastLayer, _planes, _scratch, LocalMap, GlobalMap }) part.Dispose();
    }

    /// <summary>The autoencoder, teacher and student beside each other; then what needs all three.</summary>
    private (FusedRegion Hidden, FusedRegion Last, IDisposable LastLayer) Regions<TForm>(FusedSource source)
        where TForm : struct, IFilterForm
    {
        (int channels, int threads) = (PatchDescriptionNetwork.TeacherChannels, _backend.Pool.Threads);
        Shape map = LocalMap.Shape;
        // Of few channels, transforms take longer than products: larger tiles are not faster there.
        var autoencoder = new FusedAutoencoder<Form4x4<TVector, TLanes>, TForm3x3, TKernels, TVector, TLanes>(
            _backend, source.Autoencoder, source.AutoencoderImage, _planes, map.H, map.W);
        (List<FusedLayer> teacherLayers, ChannelPlanes teacher) = Hidden(source.Teacher, source.Image);
        (List<FusedLayer> studentLayers, ChannelPlanes student) = Hidden(source.Student, source.Image);
        LayerWeights ofTeacher = LayerWeights.Of(_backend, source.Teacher.Layers[^1])
            .Normalized(Vector(source.Mean), Vector(source.Deviation));
        LayerWeights ofStudent = LayerWeights.Of(_backend, source.Student.Layers[^1]);
        var last = new LastLayer<TForm, TKernels, TVector, TLanes>(
            teacher, student, autoencoder.Features, ofTeacher.Minus(ofStudent.Rows(0, channels)),
            ofStudent.Rows(channels, channels), LocalMap, GlobalMap, _backend.Pool);
        return (
            new FusedRegion(
                _scratch, threads, new FusedChain(autoencoder.Layers), new FusedChain([.. teacherLayers]),
                new FusedChain([.. studentLayers])),
            new FusedRegion(_scratch, threads, new FusedChain(last.Layers)),
            last);
    }

    /// <summary>All layers of a network but the last, and the planes that they leave.</summary>
    private (List<FusedLayer> Layers, ChannelPlanes Output) Hidden(PatchDescriptionNetwork network, Tensor image)
    {
        LayerWeights[] weights =
            [.. network.Layers.Take(network.Layers.Count - 1).Select(layer => LayerWeights.Of(_backend, layer))];
        (int height, int width) = ((image.Shape.H - 3) / 2, (image.Shape.W - 3) / 2);
        ChannelPlanes planes = _planes.Allocate<TForm4x4>(weights[0].Shape.N, height, width);
        List<FusedLayer> layers = [new FirstLayer<TKernels>(image, weights[0], planes, height, width)];
        for (int i = 1; i < weights.Length; i++)
        {
            // What reads the layer's output decides the margins of its planes.
            int next = network.Layers[i + 1].Weights.Value.Shape.H;
            layers.Add((weights[i].Shape.H, next) switch
            {
                (4, 1) => Add<TForm4x4, Form1x1<TVector, TLanes>>(weights[i], pool: i == 1),
                (4, 3) => Add<TForm4x4, TForm3x3>(weights[i], pool: i == 1),
                (1, _) => Add<Form1x1<TVector, TLanes>, TForm3x3>(weights[i], pool: false),
                _ when i == weights.Length - 1 => Add<TForm3x3, TLast>(weights[i], pool: false),
                _ => Add<TForm3x3, TForm4x4>(weights[i], pool: false),
            });
        }

        return (layers, planes);

        FilteredLayer<TForm, TKernels, TVector, TLanes> Add<TForm, TNext>(LayerWeights layer, bool pool)
            where TForm : struct, IFilterForm
            where TNext : struct, IFilterForm
        {
            ChannelPlanes input = planes;
            (height, width) = (height - TForm.Kernel + 1, width - TForm.Kernel + 1);
            if (pool) (height, width) = (height / 2, width / 2);
            planes = _planes.Allocate<TNext>(layer.Shape.N, height, width);
            int scale = pool ? 2 : 1;
            return new FilteredLayer<TForm, TKernels, TVector, TLanes>(
                input, layer, planes, image.Shape.N, scale * height, scale * width, pool, relu: true, _backend.Pool);
        }
    }

    private static ReadOnlySpan<float> Vector(Tensor tensor) => new((void*)tensor.Address, tensor.Shape.C);
}
