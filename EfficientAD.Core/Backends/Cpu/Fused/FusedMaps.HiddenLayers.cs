using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Detection;
using EfficientAD.Networks;
using EfficientAD.Networks.Folding;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Fused;

internal sealed unsafe partial class FusedMaps<TForm4x4, TForm3x3, TLast, TKernels, TVector, TLanes>
{
    /// <summary>All layers of a patch description network but the last, from an image to the planes that the last one
    /// reads.</summary>
    private sealed class HiddenLayers
    {
        private readonly CpuBackend _backend;
        private readonly PlanesMemory<TKernels> _planes;
        private readonly int _samples;
        private int _height, _width;

        /// <param name="input">Its images, and which of them are grey, are read at every run.</param>
        /// <param name="planes">Holds what the layers leave.</param>
        public HiddenLayers(
            CpuBackend backend, PatchDescriptionNetwork network, DetectionInput input, PlanesMemory<TKernels> planes)
        {
            Tensor image = input.Image;
            (_backend, _planes, _samples) = (backend, planes, image.Shape.N);
            LayerWeights[] weights =
                [.. network.Layers.Take(network.Layers.Count - 1).Select(layer => LayerWeights.Of(backend, layer))];
            (_height, _width) = ((image.Shape.H - 3) / 2, (image.Shape.W - 3) / 2);
            Output = planes.Allocate<TForm4x4>(weights[0].Shape.N, _height, _width);
            List<FusedLayer> layers =
                [new FirstLayer<TKernels>(image, input.IsGrey, weights[0], Output, _height, _width)];
            for (int i = 1; i < weights.Length; i++)
            {
                // What reads the layer's output decides the margins of its planes.
                int next = network.Layers[i + 1].Weights.Value.Shape.H;
                layers.Add((weights[i].Shape.H, next) switch
                {
                    (4, 1) => Filter<TForm4x4, Form1x1<TVector, TLanes>>(weights[i], pool: i == 1),
                    (4, 3) => Filter<TForm4x4, TForm3x3>(weights[i], pool: i == 1),
                    (1, _) => Filter<Form1x1<TVector, TLanes>, TForm3x3>(weights[i], pool: false),
                    _ when i == weights.Length - 1 => Filter<TForm3x3, TLast>(weights[i], pool: false),
                    _ => Filter<TForm3x3, TForm4x4>(weights[i], pool: false),
                });
            }

            Chain = new FusedChain([.. layers]);
        }

        public FusedChain Chain { get; }

        /// <summary>What the last of them leaves.</summary>
        public ChannelPlanes Output { get; private set; }

        private FilteredLayer<TForm, TKernels, TVector, TLanes> Filter<TForm, TNext>(LayerWeights layer, bool pool)
            where TForm : struct, IFilterForm
            where TNext : struct, IFilterForm
        {
            ChannelPlanes input = Output;
            (_height, _width) = (_height - TForm.Kernel + 1, _width - TForm.Kernel + 1);
            if (pool) (_height, _width) = (_height / 2, _width / 2);
            Output = _planes.Allocate<TNext>(layer.Shape.N, _height, _width);
            int scale = pool ? 2 : 1;
            return new FilteredLayer<TForm, TKernels, TVector, TLanes>(
                input, layer, Output, _samples, scale * _height, scale * _width, pool, relu: true, _backend.Pool);
        }
    }

    /// <inheritdoc cref="SharedLayers"/>
    private sealed class SharedTeacher : SharedLayers
    {
        private readonly WorkerPool _pool;
        private readonly PlanesMemory<TKernels> _planes;
        private readonly ScratchMemory _scratch = new();
        private readonly FusedRegion _region;

        public SharedTeacher(CpuBackend backend, PatchDescriptionNetwork teacher, DetectionInput input)
        {
            (_pool, _planes) = (backend.Pool, new PlanesMemory<TKernels>(input.Image.Shape.N));
            Hidden = new(backend, teacher, input, _planes);
            _region = new FusedRegion(_scratch, _pool.Threads, Hidden.Chain);
        }

        public HiddenLayers Hidden { get; }

        public override void Compute() => _region.Run(_pool);

        public override void Dispose()
        {
            foreach (FusedLayer layer in _region.Layers) layer.Dispose();
            _planes.Dispose();
            _scratch.Dispose();
        }
    }
}
