using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu;

/// <remarks>Beside channel planes, for convolutions without padding: an entry meets a block of channels at a time.</remarks>
internal sealed unsafe partial class SparseGradient
{
    /// <param name="inputGradient">Overwritten for the first <paramref name="samples"/> samples.</param>
    public void WriteInputGradient<TVector, TLanes>(Tensor weights, ChannelPlanes inputGradient, int samples, WorkerPool pool)
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
            TVector value = TLanes.Broadcast(entry.Value);
            float* taps = gathered, row = inputGradient.Plane(entry.Sample, block) + (entry.Y * inputGradient.Pitch + entry.X) * lanes;
            for (int ky = 0; ky < kernel.H; ky++, row += inputGradient.Pitch * lanes)
                for (int kx = 0; kx < kernel.W; kx++, taps += lanes)
                    TLanes.Store(TLanes.MultiplyAdd(TLanes.Load(taps), value, TLanes.Load(row + kx * lanes)), row + kx * lanes);
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
            TVector value = TLanes.Broadcast(entry.Value);
            float* taps = products, row = input.Plane(entry.Sample, block) + (entry.Y * input.Pitch + entry.X) * lanes;
            for (int ky = 0; ky < kernel.H; ky++, row += input.Pitch * lanes)
                for (int kx = 0; kx < kernel.W; kx++, taps += lanes)
                    TLanes.Store(TLanes.Multiply(TLanes.Load(row + kx * lanes), value), taps);
            float* target = (float*)weightGradient.Address + ((nint)entry.Channel * kernel.C + block * lanes) * kernel.Plane;
            TapVectors.Add(products, kernel.Plane, lanes, lanes, target, kernel.Plane);
        }
    }
}
