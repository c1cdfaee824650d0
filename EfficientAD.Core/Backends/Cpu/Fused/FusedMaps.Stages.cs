using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Detection;
using EfficientAD.Networks;
using EfficientAD.Networks.Folding;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>The plan with its forms: 4 x 4 and 3 x 3 kernels of the hidden layers, 4 x 4 kernels of the last
/// ones.</summary>
internal sealed unsafe partial class FusedMaps<TForm4x4, TForm3x3, TLast, TKernels, TVector, TLanes> : FusedMaps
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
    private readonly bool _isWindow;
    private int _samples;

    public FusedMaps(FusedSource source)
    {
        Shape image = source.Input.Image.Shape;
        (_backend, _samples) = (source.Backend, image.N);
        _isWindow = source.Window is not null;  // its place may have changed since the last run
        int height = PatchDescriptionNetwork.OutputSize(image.H, padded: false);
        int width = PatchDescriptionNetwork.OutputSize(image.W, padded: false);
        LocalMap = _backend.Allocate(new Shape(image.N, 1, height, width));
        GlobalMap = _backend.Allocate(LocalMap.Shape);
        _planes = new PlanesMemory<TKernels>(image.N);
        (_hidden, _last, _lastLayer) = source.Networks.Teacher.Size == PdnSize.Small
            ? Regions<TLast>(source)
            : Regions<Form1x1<TVector, TLanes>>(source);
    }

    public override Tensor LocalMap { get; }

    public override Tensor GlobalMap { get; }

    public override IEnumerable<FusedLayer> Layers => _hidden.Layers.Concat(_last.Layers);

    public override void Compute(int samples)
    {
        if (samples != _samples || _isWindow)
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
        foreach (IDisposable part in new IDisposable[] { _lastLayer, _planes, _scratch, LocalMap, GlobalMap })
            part.Dispose();
    }

    /// <summary>The autoencoder, teacher and student beside each other; then what needs all three.</summary>
    private (FusedRegion Hidden, FusedRegion Last, IDisposable LastLayer) Regions<TForm>(FusedSource source)
        where TForm : struct, IFilterForm
    {
        (int channels, int threads) = (PatchDescriptionNetwork.TeacherChannels, _backend.Pool.Threads);
        (DetectionNetworks networks, DetectionInput input, Shape map) = (source.Networks, source.Input, LocalMap.Shape);
        // Of few channels, transforms take longer than products: larger tiles are not faster there.
        var autoencoder = new FusedAutoencoder<Form4x4<TVector, TLanes>, TForm3x3, TKernels, TVector, TLanes>(
            _backend, networks.Autoencoder, input.AutoencoderImage, _planes, map.H, map.W, source.Window);
        var student = new HiddenLayers(_backend, networks.Student, input, _planes);
        HiddenLayers teacher = source.Shared is { } shared
            ? TeacherOf(shared, source)
            : new(_backend, networks.Teacher, input, _planes);
        LayerWeights ofTeacher = LayerWeights.Of(_backend, networks.Teacher.Layers[^1])
            .Normalized(Vector(networks.Mean), Vector(networks.Deviation));
        LayerWeights ofStudent = LayerWeights.Of(_backend, networks.Student.Layers[^1]);
        var last = new LastLayer<TForm, TKernels, TVector, TLanes>(
            teacher.Output, student.Output, autoencoder.Features, ofTeacher.Minus(ofStudent.Rows(0, channels)),
            ofStudent.Rows(channels, channels), LocalMap, GlobalMap, _backend.Pool);
        FusedChain[] ownTeacher = source.Shared is null ? [teacher.Chain] : [];
        return (
            new FusedRegion(_scratch, threads, [new FusedChain(autoencoder.Layers), .. ownTeacher, student.Chain]),
            new FusedRegion(_scratch, threads, new FusedChain(last.Layers)),
            last);
    }

    private static HiddenLayers TeacherOf(SharedLayersSlot slot, FusedSource source)
    {
        slot.Layers ??= new SharedTeacher(source.Backend, source.Networks.Teacher, source.Input);
        return ((SharedTeacher)slot.Layers).Hidden;
    }

    private static ReadOnlySpan<float> Vector(Tensor tensor) => new((void*)tensor.Address, tensor.Shape.C);
}
