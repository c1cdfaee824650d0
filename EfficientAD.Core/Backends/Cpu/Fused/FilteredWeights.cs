using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Networks.Folding;

namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>Folded weights as the fused layers read them.</summary>
internal static unsafe class FilteredWeights
{
    extension(LayerWeights layer)
    {
        /// <summary>The weights in a form's domain.</summary>
        public AlignedMemory Transform<TForm, TKernels>(WorkerPool pool)
            where TForm : struct, IFilterForm
            where TKernels : struct, IProductKernels
        {
            var memory = new AlignedMemory(
                TransformedWeights<TForm, TKernels>.Count(layer.Shape.N, layer.Shape.C) * sizeof(float));
            fixed (float* weights = layer.Values)
            {
                TransformedWeights<TForm, TKernels>.Transform(
                    weights, WeightStrides.Forward(layer.Shape), layer.Shape.N, layer.Shape.C, pool,
                    (float*)memory.Address);
            }

            return memory;
        }

        /// <summary>The bias, with zeros to a whole panel.</summary>
        public AlignedMemory PaddedBias(int lanes)
        {
            int panel = 2 * lanes;
            var memory = new AlignedMemory((layer.Bias.Length + panel - 1) / panel * panel * sizeof(float));
            layer.Bias.CopyTo(new Span<float>((void*)memory.Address, layer.Bias.Length));
            return memory;
        }
    }
}
