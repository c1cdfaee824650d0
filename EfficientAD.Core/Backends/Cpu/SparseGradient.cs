using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu;

/// <summary>The non-zero entries of an output gradient. The hard-feature loss leaves one in a thousand, and a backward
/// pass over those alone costs a hundredth of the dense one; finding them costs one reading.</summary>
internal sealed unsafe partial class SparseGradient
{
    // Above this share the dense loops, which run at full vector width, are as fast.
    private const double LargestDensity = 1.0 / 64;

    private readonly record struct Entry(int Sample, int Channel, int Y, int X, float Value);

    private readonly List<Entry> _entries;

    private SparseGradient(List<Entry> entries) => _entries = entries;

    /// <returns>The entries, or null where they are too many.</returns>
    public static SparseGradient? TryFind(Tensor gradient)
    {
        Shape shape = gradient.Shape;
        var values = new ReadOnlySpan<float>((float*)gradient.Address, checked((int)shape.Count));
        if (LooksDense(values)) return null;
        int limit = (int)(values.Length * LargestDensity);
        var entries = new List<Entry>();
        for (int start = 0; start < values.Length;)
        {
            int step = values[start..].IndexOfAnyExcept(0f);
            if (step < 0) break;
            int index = start + step;
            if (entries.Count == limit) return null;
            int plane = index / shape.Plane, pixel = index % shape.Plane;
            entries.Add(new Entry(plane / shape.C, plane % shape.C, pixel / shape.W, pixel % shape.W, values[index]));
            start = index + 1;
        }

        return new SparseGradient(entries);
    }

    public void AccumulateInputGradient(
        Tensor weights, Convolution2dGeometry geometry, Tensor inputGradient, WorkerPool pool)
    {
        Shape kernel = weights.Shape, shape = inputGradient.Shape;
        ForEach(geometry, kernel, shape, pool, (entry, window, channel) =>
        {
            float* weight = (float*)weights.Address + ((long)entry.Channel * kernel.C + channel) * kernel.Plane;
            float* plane = (float*)inputGradient.Address + ((long)entry.Sample * shape.C + channel) * shape.Plane;
            for (int ky = window.Top; ky < window.Bottom; ky++)
            {
                float* row = plane + (long)(window.Y + ky) * shape.W + window.X;
                AddRow(weight + ky * kernel.W, entry.Value, window, row);
            }
        });
    }

    public void AccumulateWeightGradient(
        Tensor input, Convolution2dGeometry geometry, Tensor weightGradient, WorkerPool pool)
    {
        Shape kernel = weightGradient.Shape, shape = input.Shape;
        ForEach(geometry, kernel, shape, pool, (entry, window, channel) =>
        {
            float* gradient =
                (float*)weightGradient.Address + ((long)entry.Channel * kernel.C + channel) * kernel.Plane;
            float* plane = (float*)input.Address + ((long)entry.Sample * shape.C + channel) * shape.Plane;
            for (int ky = window.Top; ky < window.Bottom; ky++)
            {
                float* row = plane + (long)(window.Y + ky) * shape.W + window.X;
                AddRow(row, entry.Value, window, gradient + ky * kernel.W);
            }
        });
    }

    /// <summary>Some input channels at a time, so that an entry's weights are read one behind the other.</summary>
    private void ForEach(
        Convolution2dGeometry geometry, Shape kernel, Shape input, WorkerPool pool, Action<Entry, Window, int> body)
    {
        const int ChannelsPerItem = 16;
        pool.Run((input.C + ChannelsPerItem - 1) / ChannelsPerItem, item =>
        {
            int first = item * ChannelsPerItem, end = Math.Min(input.C, first + ChannelsPerItem);
            foreach (Entry entry in CollectionsMarshal.AsSpan(_entries))
            {
                Window window = Window.Of(entry, geometry, kernel, input);
                for (int channel = first; channel < end; channel++) body(entry, window, channel);
            }
        });
    }

    private static void AddRow(float* values, float factor, Window window, float* sums)
    {
        if (window.Right - window.Left == Vector128<float>.Count)
        {
            values += window.Left;
            sums += window.Left;
            (Vector128.Load(sums) + Vector128.Load(values) * factor).Store(sums);
            return;
        }

        for (int kx = window.Left; kx < window.Right; kx++) sums[kx] += factor * values[kx];
    }

    /// <summary>A few probes spare dense gradients the collection of entries that would be thrown away.</summary>
    private static bool LooksDense(ReadOnlySpan<float> values)
    {
        const int Probes = 1024, DenseProbes = Probes / 16;
        int found = 0;
        for (int i = 0; i < Probes; i++)
            if (values[(int)((long)values.Length * i / Probes)] != 0) found++;
        return found > DenseProbes;
    }

    /// <summary>Where a kernel lies over the input for one output, and which of its taps fall inside.</summary>
    private readonly record struct Window(int Y, int X, int Top, int Bottom, int Left, int Right)
    {
        public static Window Of(Entry entry, Convolution2dGeometry geometry, Shape kernel, Shape input)
        {
            int y = entry.Y * geometry.Stride - geometry.Padding, x = entry.X * geometry.Stride - geometry.Padding;
            return new Window(
                y, x, Math.Max(0, -y), Math.Min(kernel.H, input.H - y), Math.Max(0, -x),
                Math.Min(kernel.W, input.W - x));
        }
    }
}
