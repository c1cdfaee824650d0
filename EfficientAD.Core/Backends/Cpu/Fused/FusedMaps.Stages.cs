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
    private readonly List<AlignedMemory> _planes = [];
    private readonly List<FusedLayer> _layers = [];
    private readonly List<FusedStage> _stages = [];
    private readonly ScratchMemory _scratch = new(), _predictedPlanes = new();
    private readonly IDisposable _last;
    private readonly Action _finish;
    private readonly WorkerPool _pool;

    public FusedMaps(FusedSource source)
    {
        (_pool, Shape image) = (source.Backend.Pool, source.Image.Shape);
        int height = PatchDescriptionNetwork.OutputSize(image.H, padded: false);
        int width = PatchDescriptionNetwork.OutputSize(image.W, padded: false);
        LocalMap = source.Backend.Allocate(new Shape(image.N, 1, height, width));
        GlobalMap = source.Backend.Allocate(LocalMap.Shape);

        (List<FusedLayer> teacherLayers, ChannelPlanes teacher) = Hidden(source.Backend, source.Teacher, source.Image);
        (List<FusedLayer> studentLayers, ChannelPlanes student) = Hidden(source.Backend, source.Student, source.Image);
        foreach ((FusedLayer first, FusedLayer second) in teacherLayers.Zip(studentLayers)) AddStage(first, second);
        (_last, _finish) = source.Teacher.Size == PdnSize.Small
            ? AddLast<TLast>(source, teacher, student)
            : AddLast<Form1x1<TVector, TLanes>>(source, teacher, student);
        _scratch.Reserve(_stages.Max(stage => stage.ScratchPerWorker) * _pool.Threads);
    }

    public override Tensor LocalMap { get; }

    public override Tensor GlobalMap { get; }

    public override void Compute() => _finish();

    public override void Dispose()
    {
        _last.Dispose();
        foreach (FusedLayer layer in _layers) layer.Dispose();
        foreach (AlignedMemory memory in _planes) memory.Dispose();
        _scratch.Dispose();
        _predictedPlanes.Dispose();
        LocalMap.Dispose();
        GlobalMap.Dispose();
    }

    /// <summary>All layers of a network but the last, and the planes that they leave.</summary>
    private (List<FusedLayer> Layers, ChannelPlanes Output) Hidden(
        CpuBackend backend, PatchDescriptionNetwork network, Tensor image)
    {
        LayerWeights[] weights = [.. network.Layers.Take(network.Layers.Count - 1).Select(layer => LayerWeights.Of(backend, layer))];
        (int height, int width) = ((image.Shape.H - 3) / 2, (image.Shape.W - 3) / 2);
        ChannelPlanes planes = Planes<TForm4x4>(image.Shape.N, weights[0].Shape.N, height, width);
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

        _layers.AddRange(layers);
        return (layers, planes);

        FilteredLayer<TForm, TKernels, TVector, TLanes> Add<TForm, TNext>(LayerWeights layer, bool pool)
            where TForm : struct, IFilterForm
            where TNext : struct, IFilterForm
        {
            ChannelPlanes input = planes;
            (height, width) = (height - TForm.Kernel + 1, width - TForm.Kernel + 1);
            if (pool) (height, width) = (height / 2, width / 2);
            planes = Planes<TNext>(image.Shape.N, layer.Shape.N, height, width);
            int scale = pool ? 2 : 1;
            return new FilteredLayer<TForm, TKernels, TVector, TLanes>(
                input, layer, planes, image.Shape.N, scale * height, scale * width, pool, _pool);
        }
    }

    /// <summary>The last layers of both networks, both maps.</summary>
    /// <returns>What computes them, and what runs everything.</returns>
    private (IDisposable Layer, Action Run) AddLast<TForm>(FusedSource source, ChannelPlanes teacher, ChannelPlanes student)
        where TForm : struct, IFilterForm
    {
        int channels = PatchDescriptionNetwork.TeacherChannels;
        LayerWeights ofTeacher = LayerWeights.Of(source.Backend, source.Teacher.Layers[^1])
            .Normalized(Vector(source.Mean), Vector(source.Deviation));
        LayerWeights ofStudent = LayerWeights.Of(source.Backend, source.Student.Layers[^1]);
        Shape map = LocalMap.Shape;
        var last = new LastLayer<TForm, TKernels, TVector, TLanes>(
            teacher, student, ofTeacher.Minus(ofStudent.Rows(0, channels)), ofStudent.Rows(channels, channels), map.N, map.H, map.W, _pool);
        AddStage(last.Factors);
        AddStage(last.Products);
        return (last, () =>
        {
            last.SetMinuend(ChannelPlanes.Lay(
                source.Predicted, 0, 0, map.H, map.W, TKernels.Lanes, _predictedPlanes, _pool));
            foreach (FusedStage stage in _stages) stage.Run(_pool);
            last.WriteMaps(
                new Span<float>((void*)LocalMap.Address, (int)map.Count), new Span<float>((void*)GlobalMap.Address, (int)map.Count));
        }
        );
    }

    private void AddStage(params FusedLayer[] layers) => _stages.Add(new FusedStage(_scratch, layers));

    /// <summary>Planes for so many values and for the tiles of what reads them; the margin stays zero.</summary>
    private ChannelPlanes Planes<TReader>(int samples, int channels, int height, int width)
        where TReader : struct, IFilterForm
    {
        int lanes = TKernels.Lanes, blocks = 2 * TransformedWeights<TReader, TKernels>.Panels(channels);
        var planes = new ChannelPlanes(0, lanes, blocks, Extent(height), ChannelPlanes.OddPitch(Extent(width)));
        var memory = new AlignedMemory(samples * blocks * planes.PlaneCount * sizeof(float));
        _planes.Add(memory);
        return planes with { Address = memory.Address };

        static int Extent(int size)
        {
            int outputs = size - TReader.Kernel + 1;
            return Math.Max(size, (outputs + TReader.Outputs - 1) / TReader.Outputs * TReader.Outputs + TReader.Kernel - 1);
        }
    }

    private static ReadOnlySpan<float> Vector(Tensor tensor) => new((void*)tensor.Address, tensor.Shape.C);
}
