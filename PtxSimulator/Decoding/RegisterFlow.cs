using System.Collections;
using PtxSimulator.Execution;
using PtxSimulator.Instructions;
using PtxSimulator.Parsing;

namespace PtxSimulator.Decoding;

/// <summary>Follows registers along the paths of a kernel: a register that is read where no path has written it is a
/// fault of the code.</summary>
internal sealed class RegisterFlow(KernelSyntax kernel)
{
    private readonly List<Step> _steps = [];

    private readonly record struct Step(Register[] Reads, Register[] Writes, int Target, bool Continues);

    public void Add(IEnumerable<Register> reads, IEnumerable<Register> writes, long target)
    {
        var instruction = kernel.Instructions[_steps.Count];
        var branches = instruction.Opcode is "bra" or "bra.uni";
        var ends = branches || instruction.Opcode is "ret" or "exit" or "trap";
        _steps.Add(new Step(
            [.. reads], [.. writes], branches ? (int)target : -1, !ends || instruction.Guard is not null));
    }

    public (Register[] Reads, Register[] Writes) RegistersOf(int index) => (_steps[index].Reads, _steps[index].Writes);

    /// <exception cref="PtxFormatException">A register is read that no path to there has written.</exception>
    public void ThrowIfNeverWritten(string module)
    {
        var written = new BitArray?[_steps.Count + 1];
        var work = new Stack<int>();
        written[0] = new BitArray(Math.Max(1, kernel.RegisterCount));
        work.Push(0);
        while (work.TryPop(out var index))
        {
            if (index >= _steps.Count) continue;
            var after = new BitArray(written[index]!);
            foreach (var register in _steps[index].Writes) after[register.Index] = true;
            if (_steps[index].Continues) Reach(index + 1, after, written, work);
            if (_steps[index].Target >= 0) Reach(_steps[index].Target, after, written, work);
        }
        for (var i = 0; i < _steps.Count; i++)
        {
            if (written[i] is not { } before) continue;
            foreach (var register in _steps[i].Reads)
                if (!before[register.Index]) throw NeverWritten(module, kernel.Instructions[i], register);
        }
    }

    private PtxFormatException NeverWritten(string module, Instruction instruction, Register register) =>
        new(module, instruction.Line,
            $"{kernel.Name} reads register {register.Name}, which nothing has written: {instruction.Text}");

    private static void Reach(int index, BitArray state, BitArray?[] written, Stack<int> work)
    {
        if (written[index] is not { } known)
        {
            written[index] = new BitArray(state);
            work.Push(index);
            return;
        }
        var union = new BitArray(known).Or(state);
        if (((BitArray)union.Clone()).Xor(known).HasAnySet())
        {
            written[index] = union;
            work.Push(index);
        }
    }
}
