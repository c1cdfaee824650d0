using PtxSimulator.Execution;
using PtxSimulator.Parsing;

namespace PtxSimulator;

/// <summary>A PTX text, parsed and decoded. Immutable; any number of devices may run its kernels.</summary>
public sealed class PtxModule
{
    private readonly Dictionary<string, PtxKernel> _kernels = [];
    private readonly ModuleSyntax _syntax;

    private PtxModule(ModuleSyntax syntax, string name)
    {
        (_syntax, Name) = (syntax, name);
        foreach (var kernel in syntax.Kernels) _kernels.Add(kernel.Name, new PtxKernel(this, kernel));
    }

    /// <summary>What messages call it: the file's name.</summary>
    public string Name { get; }

    /// <summary>The <c>.target</c>: 80 for sm_80.</summary>
    public int Target => _syntax.Target;

    /// <summary>Its entries by name.</summary>
    public IReadOnlyDictionary<string, PtxKernel> Kernels => _kernels;

    internal IReadOnlyDictionary<int, string> Files => _syntax.Files;

    /// <summary>Variables of global and constant memory.</summary>
    internal IEnumerable<Variable> Variables =>
        _syntax.Variables.Values.Where(variable => variable.Space is StateSpace.Global or StateSpace.Constant);

    /// <param name="name">Stands in messages, such as the file's name.</param>
    /// <exception cref="PtxFormatException">The text is not PTX, or holds an instruction that the simulator does not
    /// know: it never guesses.</exception>
    public static PtxModule Parse(string ptx, string name)
    {
        var module = new PtxModule(ModuleParser.Parse(ptx, name), name);
        // Devices decode for themselves, at their own addresses; this finds what cannot be decoded.
        foreach (var kernel in module.Kernels.Values) new KernelProgram(kernel, _ => 0, watches: false).Dispose();
        return module;
    }
}
