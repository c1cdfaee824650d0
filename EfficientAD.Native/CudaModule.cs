using System.Text;
using EfficientAD.Native.Driver;

namespace EfficientAD.Native;

/// <summary>Kernels that the driver has compiled for the context's device.</summary>
public sealed unsafe class CudaModule : CudaHandle
{
    private const int LogBytes = 8192;

    private readonly Dictionary<string, PtxEntry> _entries;

    /// <param name="ptx">The text, in UTF-8.</param>
    /// <param name="name">Its name in messages.</param>
    /// <exception cref="CudaException">The driver does not take it; the message holds the log of its
    /// compiler.</exception>
    public CudaModule(CudaContext context, ReadOnlySpan<byte> ptx, string name) : base(context, ownsHandle: true)
    {
        Name = name;
        _entries = PtxEntry.ReadAll(Encoding.UTF8.GetString(ptx));
        byte[] text = [.. ptx, 0];
        byte[] log = new byte[LogBytes];
        using CudaContext.Scope scope = context.Enter();
        fixed (byte* firstOfText = text, firstOfLog = log)
        {
            JitOption* options = stackalloc[] { JitOption.ErrorLogBuffer, JitOption.ErrorLogBytes };
            nuint* values = stackalloc[] { (nuint)firstOfLog, (nuint)LogBytes };
            nint module;
            CudaResult result = Driver.cuModuleLoadDataEx(&module, firstOfText, 2, options, values);
            if (result != CudaResult.Success)
            {
                Driver.Throw(result, nameof(Driver.cuModuleLoadDataEx),
                    $"Module {name} on {context.Device.Name}, driver {CudaDevices.VersionOf(Driver)}. {Read(log)}");
            }
            Own(module);
        }
    }

    /// <summary>Its name in messages.</summary>
    public string Name { get; }

    /// <summary>The kernels it holds.</summary>
    public IReadOnlyCollection<string> KernelNames => _entries.Keys;

    /// <summary>Looks a kernel up. Keep the result: this asks the driver.</summary>
    /// <exception cref="ArgumentException">The module has no such kernel.</exception>
    public CudaKernel GetKernel(string name)
    {
        if (!_entries.TryGetValue(name, out PtxEntry? entry))
        {
            throw new ArgumentException(
                $"{Name} has no kernel '{name}'. It holds: {string.Join(", ", _entries.Keys.Order())}.", nameof(name));
        }
        using CudaContext.Scope scope = Context.Enter();
        byte[] text = [.. Encoding.UTF8.GetBytes(name), 0];
        nint function;
        fixed (byte* first = text) Driver.ThrowIfFailed(Driver.cuModuleGetFunction(&function, OpenHandle, first));
        return new CudaKernel(this, entry, function);
    }

    private protected override CudaResult Destroy(nint released) => Driver.cuModuleUnload(released);

    /// <summary>The compiler's log on one line.</summary>
    private static string Read(byte[] log)
    {
        int end = Array.IndexOf(log, (byte)0);
        string[] lines = Encoding.UTF8.GetString(log, 0, end < 0 ? log.Length : end)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return lines.Length == 0 ? "" : $"The compiler says: {string.Join(" | ", lines)}";
    }
}
