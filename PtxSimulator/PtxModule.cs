namespace PtxSimulator;

/// <summary>A PTX text, parsed and decoded. Immutable; any number of devices may run its kernels.</summary>
public sealed class PtxModule
{
    private readonly Dictionary<string, PtxKernel> _kernels = [];

    private PtxModule(string name) => Name = name;

    public string Name { get; }

    /// <summary>The <c>.target</c>, times ten: 80 for sm_80.</summary>
    public int Target { get; private init; }

    public IReadOnlyDictionary<string, PtxKernel> Kernels => _kernels;

    /// <param name="name">Stands in messages, such as the file's name.</param>
    /// <exception cref="PtxFormatException">The text is not PTX, or holds an instruction that the simulator does not
    /// know: it never guesses.</exception>
    public static PtxModule Parse(string ptx, string name) => throw new NotImplementedException();
}
