using EfficientAD.Native;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda;

public sealed partial class CudaBackend
{
    private const nint LegacyDefaultStream = 1;  // as is 0; neither can be captured

    private long _writes;  // to tensors that other things may have been derived from

    /// <summary>Whether work on the stream can become a graph, and shall.</summary>
    internal bool CanCapture =>
        _options.UseGraphs && _context.Driver.HasGraphs && _stream.Handle is not (0 or LegacyDefaultStream);

    /// <remarks>The first replay runs the work as it is: it allocates, loads kernels, packs weights. The second
    /// captures a graph, and from then on one launch does all of it, until a tensor is written by
    /// <see cref="Upload"/>, <see cref="Fill"/>, <see cref="Copy"/>, <see cref="Add"/> or Adam: then it
    /// starts anew. Work that itself calls one of these therefore never becomes a graph.</remarks>
    public Recording Record(Action work)
    {
        if (!CanCapture) return new Recording(work);
        var captured = new CapturedWork(this, work);
        return new Recording(captured.Replay, captured);
    }

    private void MarkWritten(Tensor tensor)
    {
        tensor.MarkWritten();
        _writes++;
    }

    private sealed class CapturedWork(CudaBackend backend, Action work) : IDisposable
    {
        private CudaGraph? _graph;
        private long _writesSeen = -1;

        public void Replay()
        {
            if (_writesSeen != backend._writes)
            {
                Dispose();
                _writesSeen = backend._writes;
                work();
                return;
            }

            _graph ??= backend._stream.Capture(work);
            _graph.Launch(backend._stream);
        }

        public void Dispose()
        {
            _graph?.Dispose();
            _graph = null;
        }
    }
}
