using EfficientAD.Native;
using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cuda;

public sealed partial class CudaBackend
{
    // As quantile.cu has them.
    private const int HistogramWords = 2048, SelectionWords = 6, SelectionPasses = 3;

    public void Quantile(Tensor values, float q, Tensor output)
    {
        Shape shape = values.Shape;
        RequireFraction(q);
        RequireShape(new Shape(shape.N, 1, 1, 1), output);
        nint selection = _scratch.Reserve(SelectionBytes(shape.N));
        SelectQuantiles(values.Address, shape.N, shape.SampleCount, q, selection, output.Address);
    }

    private static long SelectionBytes(int samples) => (long)samples * (HistogramWords + SelectionWords) * sizeof(uint);

    /// <param name="selection">Room for <see cref="SelectionBytes"/>.</param>
    /// <param name="output">One value for each sample.</param>
    private void SelectQuantiles(nint values, int samples, long length, float q, nint selection, nint output)
    {
        if (length > uint.MaxValue)
            throw new ArgumentException($"Quantile: a sample of {length} values; its counters hold {uint.MaxValue}.");
        nint histograms = selection, selections = selection + (nint)samples * HistogramWords * sizeof(uint);
        _stream.Fill(0, selection, SelectionBytes(samples) / sizeof(uint));
        LaunchShape all = Reduction(length, samples), one = new(new Extent(samples), new Extent(ThreadsPerBlock));
        for (int pass = 0; pass < SelectionPasses; pass++)
        {
            Launch("quantile", "quantile_count", all, values, samples, length, pass, histograms, selections);
            Launch("quantile", "quantile_select", one, q, length, pass, histograms, selections);
        }

        Launch("quantile", "quantile_above", all, values, samples, length, selections);
        Launch("quantile", "quantile_interpolate", Threads(samples), selections, samples, q, length, output);
    }
}
