using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu;

/// <remarks>Beside channel planes, for convolutions without padding: an entry meets a block of channels at a
/// time.</remarks>
internal sealed unsafe partial class SparseGradient
{
    /// <param name="inputGradient">Overwritten for the first <paramref name="samples"/> samples.</param>
    public void WriteInputGradient<TVector, TLanes>(
        Tensor weights, ChannelPlanes inputGradient, int samples, WorkerPool pool)
        where TLanes : struct, ILanes<TVector>
    {
        pool.Run(inputGradient.Blocks, block =>
        {
            for (int sample = 0; sample < samples; sample++)
                new Span<float>(inputGradient.Plane(sample, block), checked((int)inputGradient.PlaneCount)).Clear();
            SpreadWeights<TVector, TLanes>(weights, inputGradient, block);
        });
    }

    /// <param name="input">Its first sample is the gradient's.</param>
    public void AccumulateWeightGradient<TVector, TLanes>(ChannelPlanes input, Tensor weightGradient, WorkerPool pool)
        where TLanes : struct, ILanes<TVector> =>
        pool.Run(input.Blocks, block => CollectInput<TVector, TLanes>(input, block, weightGradient));

    /// <param name="biasGradient">[1, co, 1, 1].</param>
    public void AccumulateBiasGradient(Tensor biasGradient)
    {
        foreach (Entry entry in _entries) ((float*)biasGradient.Address)[entry.Channel] += entry.Value;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void SpreadWeights<TVector, TLanes>(Tensor weights, ChannelPlanes inputGradient, int block)
        where TLanes : struct, ILanes<TVector>
    {
        Shape kernel = weights.Shape;
        int lanes = TLanes.Width;
        float* gathered = stackalloc float[kernel.Plane * lanes];
        var strides = new WeightStrides(0, Row: kernel.Plane, Channel: 0, Tap: 1);
        foreach (Entry entry in CollectionsMarshal.AsSpan(_entries))
        {
            float* source = (float*)weights.Address + ((nint)entry.Channel * kernel.C + block * lanes) * kernel.Plane;
            TapVectors.Gather(source, strides, lanes, kernel.Plane, lanes, gathered);
            Visit<TVector, TLanes>(entry, inputGradient, block, kernel, gathered, spreads: true);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void CollectInput<TVector, TLanes>(ChannelPlanes input, int block, Tensor weightGradient)
        where TLanes : struct, ILanes<TVector>
    {
        Shape kernel = weightGradient.Shape;
        int lanes = TLanes.Width;
        float* products = stackalloc float[kernel.Plane * lanes];
        foreach (Entry entry in CollectionsMarshal.AsSpan(_entries))
        {
            Visit<TVector, TLanes>(entry, input, block, kernel, products, spreads: false);
            float* target =
                (float*)weightGradient.Address + ((nint)entry.Channel * kernel.C + block * lanes) * kernel.Plane;
            TapVectors.Add(products, kernel.Plane, lanes, lanes, target, kernel.Plane);
        }
    }

    /// <summary>What lies under a kernel at an entry: adds the taps times the entry to it, or makes products with the
    /// entry of it.</summary>
    /// <param name="taps">[tap][lane]; read where it <paramref name="spreads"/>, written elsewhere.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Visit<TVector, TLanes>(
        Entry entry, ChannelPlanes planes, int block, Shape kernel, float* taps, bool spreads)
        where TLanes : struct, ILanes<TVector>
    {
        TVector value = TLanes.Broadcast(entry.Value);
        int lanes = TLanes.Width, pitch = planes.Pitch * lanes;
        float* row = planes.Plane(entry.Sample, block) + entry.Y * pitch + entry.X * lanes;
        for (int ky = 0; ky < kernel.H; ky++, row += pitch)
            for (int kx = 0; kx < kernel.W; kx++, taps += lanes)
            {
                float* pixel = row + kx * lanes;
                if (spreads) TLanes.Store(TLanes.MultiplyAdd(TLanes.Load(taps), value, TLanes.Load(pixel)), pixel);
                else TLanes.Store(TLanes.Multiply(TLanes.Load(pixel), value), taps);
            }
    }
}
