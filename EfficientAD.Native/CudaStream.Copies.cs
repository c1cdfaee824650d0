namespace EfficientAD.Native;

public sealed unsafe partial class CudaStream
{
    /// <summary>Copies from ordinary memory to the device. Returns once the values were read: it waits for all work
    /// given before, and cannot be captured. Use a <see cref="PinnedBuffer"/> where the host must not wait.</summary>
    public void Upload<T>(ReadOnlySpan<T> source, nint destination) where T : unmanaged
    {
        if (source.IsEmpty) return;
        using CudaContext.Scope scope = Context.Enter();
        fixed (T* first = source)
        {
            nuint bytes = checked((nuint)source.Length * (nuint)sizeof(T));
            Driver.ThrowIfFailed(Driver.cuMemcpyHtoDAsync_v2(destination, first, bytes, OpenHandle));
            // The driver may read the span after its call returns; it stays in place only until here.
            Driver.ThrowIfFailed(Driver.cuStreamSynchronize(OpenHandle));
        }
    }

    /// <summary>Copies all of a pinned buffer to the device, in order with other work. Leave the buffer alone until the
    /// stream has come past it.</summary>
    public void Upload(PinnedBuffer source, nint destination) => Upload(source, source.Bytes, destination);

    /// <summary>Copies the first bytes of a pinned buffer to the device, as
    /// <see cref="Upload(PinnedBuffer, nint)"/>.</summary>
    public void Upload(PinnedBuffer source, long bytes, nint destination)
    {
        source.RequireLength(bytes);
        using CudaContext.Scope scope = Context.Enter();
        Driver.ThrowIfFailed(
            Driver.cuMemcpyHtoDAsync_v2(destination, (void*)source.Address, (nuint)bytes, OpenHandle));
        GC.KeepAlive(source);
    }

    /// <summary>Waits for all work given before, then copies from the device to ordinary memory.</summary>
    public void Download<T>(nint source, Span<T> destination) where T : unmanaged
    {
        if (destination.IsEmpty) return;
        using CudaContext.Scope scope = Context.Enter();
        fixed (T* first = destination)
        {
            nuint bytes = checked((nuint)destination.Length * (nuint)sizeof(T));
            Driver.ThrowIfFailed(Driver.cuMemcpyDtoHAsync_v2(first, source, bytes, OpenHandle));
            Driver.ThrowIfFailed(Driver.cuStreamSynchronize(OpenHandle));
        }
    }

    /// <summary>Fills all of a pinned buffer from the device, in order with other work. Read the buffer once the stream
    /// has come past it.</summary>
    public void Download(nint source, PinnedBuffer destination) => Download(source, destination, destination.Bytes);

    /// <summary>Fills the first bytes of a pinned buffer from the device, as
    /// <see cref="Download(nint, PinnedBuffer)"/>.</summary>
    public void Download(nint source, PinnedBuffer destination, long bytes)
    {
        destination.RequireLength(bytes);
        using CudaContext.Scope scope = Context.Enter();
        Driver.ThrowIfFailed(
            Driver.cuMemcpyDtoHAsync_v2((void*)destination.Address, source, (nuint)bytes, OpenHandle));
        GC.KeepAlive(destination);
    }

    /// <summary>Copies on the device, in order with other work. The two ranges must not overlap.</summary>
    public void Copy(nint source, nint destination, long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (bytes == 0) return;
        using CudaContext.Scope scope = Context.Enter();
        Driver.ThrowIfFailed(Driver.cuMemcpyDtoDAsync_v2(destination, source, (nuint)bytes, OpenHandle));
    }

    /// <summary>Writes the same 32 bits <paramref name="count"/> times, in order with other work.</summary>
    /// <param name="word">For a float: <c>BitConverter.SingleToUInt32Bits</c>.</param>
    /// <param name="destination">A multiple of 4.</param>
    public void Fill(uint word, nint destination, long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (count == 0) return;
        using CudaContext.Scope scope = Context.Enter();
        Driver.ThrowIfFailed(Driver.cuMemsetD32Async(destination, word, (nuint)count, OpenHandle));
    }
}
