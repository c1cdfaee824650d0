using System.Runtime.Intrinsics;
using PtxSimulator.Counting;
using PtxSimulator.Decoding;
using PtxSimulator.Parsing;

namespace PtxSimulator.Execution;

/// <summary>A kernel decoded for a device.</summary>
internal sealed unsafe class KernelProgram : IDisposable
{
    private readonly OpArena _arena = new();
    private readonly RegisterFile _file;
    private readonly KernelSyntax _syntax;
    private readonly InstructionClass[] _classes;
    private readonly IReadOnlyDictionary<int, string> _files;

    /// <param name="addressOf">Addresses of the module's variables on the device.</param>
    /// <param name="watches">Whether accesses are checked or counted.</param>
    public KernelProgram(PtxKernel kernel, Func<Variable, ulong> addressOf, bool watches)
    {
        (Kernel, _syntax, _files) = (kernel, kernel.Syntax, kernel.Module.Files);
        _file = new RegisterFile(_syntax.RegisterCount);
        Count = _syntax.Instructions.Count;
        _classes = new InstructionClass[Count];
        Ops = _arena.Take(Count + 1);
        var operands = new OperandBinder(_syntax, _file, addressOf, kernel.Module.Name);
        var fragments = new Dictionary<Register, int>();
        var decoder = new Decoder(operands, _arena, fragments, watches);
        var flow = new RegisterFlow(_syntax);
        var granule = 16;
        for (var i = 0; i < Count; i++)
        {
            var op = Ops + i;
            op->Index = i;
            decoder.Decode(_syntax.Instructions[i], op);
            _classes[i] = decoder.Class;
            flow.Add(operands.Reads, operands.Writes, op->Immediate);
            OrdersBlocks |= op->Access == Access.Atomic && op->Space != StateSpace.Shared;
            if (op->Bytes > 0 && op->Space is StateSpace.Shared or StateSpace.Generic)
                granule = Math.Min(granule, Smallest(op));
        }
        SharedGranule = granule;
        FormTable.All.TryGet("exit", out var exit);
        Ops[Count].Index = Count;
        Ops[Count].Run = exit.Run;
        flow.ThrowIfNeverWritten(kernel.Module.Name);
        FragmentRegisters = fragments.Count;
        for (var i = 0; i < Count && FragmentRegisters > 0; i++)
        {
            if (Ops[i].Places != null) continue;
            var (reads, writes) = flow.RegistersOf(i);
            int[] touched =
            [
                .. reads.Where(fragments.ContainsKey).Select(register => 2 * fragments[register]),
                .. writes.Where(fragments.ContainsKey).Select(register => 2 * fragments[register] + 1),
            ];
            if (touched.Length > 0) Ops[i].Fragments = _arena.TakeNumbers([.. touched, -1]);
        }
    }

    public PtxKernel Kernel { get; }

    public Op* Ops { get; }

    /// <summary>Instructions, without the end behind the last.</summary>
    public int Count { get; }

    /// <summary>Registers, constants and all, of one warp.</summary>
    public int RegisterBytes => (_file.Bytes + 63) / 64 * 64;

    public int LocalBytes => _syntax.LocalBytes;

    /// <summary>Bytes of the smallest access that may go to shared memory, a power of two.</summary>
    public int SharedGranule { get; }

    /// <summary>Registers that wgmma uses.</summary>
    public int FragmentRegisters { get; }

    /// <summary>Whether results may depend on the order of the blocks: they meet in atomics.</summary>
    public bool OrdersBlocks { get; }

    public InstructionClass ClassOf(int index) => _classes[index];

    public bool IsBarrier(int index) => _classes[index] == InstructionClass.Barrier;

    public string Opcode(int index) => _syntax.Instructions[index].Opcode;

    public string Text(int index) => index < Count ? _syntax.Instructions[index].Text : "(end of the kernel)";

    public CodeLocation Location(int index)
    {
        var instruction = _syntax.Instructions[Math.Min(index, Count - 1)];
        _files.TryGetValue(instruction.Source.File, out var file);
        return new CodeLocation(Kernel.Name, instruction.Line, file, instruction.Source.Line);
    }

    /// <summary>Names the variable of shared memory at an offset.</summary>
    public string SharedVariableAt(int offset)
    {
        var (variable, start) = _syntax.SharedOffsets.Where(entry => entry.Value <= offset)
            .OrderBy(entry => entry.Value).LastOrDefault();
        return variable is null ? $"byte {offset} of shared memory" : $"byte {offset - start} of {variable.Name}";
    }

    /// <summary>Fills the places of constants and of special registers that do not change with the block.</summary>
    public void Preset(byte* registers, Launch launch, int warp)
    {
        new Span<byte>(registers, RegisterBytes).Fill(0xFF);
        foreach (var ((bits, bytes), place) in _file.Constants)
        {
            if (bytes == 8) new Span<ulong>(registers + place, 32).Fill(bits);
            else new Span<uint>(registers + place, 32).Fill((uint)bits);
        }
        foreach (var ((name, _), place) in _file.Specials)
            for (var lane = 0; lane < 32; lane++)
                ((uint*)(registers + place))[lane] = SpecialOf(name, launch, warp, lane);
    }

    /// <summary>Fills the places of the block's index.</summary>
    public void PresetBlock(byte* registers, int x, int y, int z)
    {
        foreach (var ((name, _), place) in _file.Specials)
        {
            if (name is not ("%ctaid.x" or "%ctaid.y" or "%ctaid.z")) continue;
            var value = name[^1] switch { 'x' => x, 'y' => y, _ => z };
            new Span<uint>(registers + place, 32).Fill((uint)value);
        }
    }

    private static uint SpecialOf(string name, Launch launch, int warp, int lane)
    {
        var (block, thread) = (launch.Block, warp * 32 + lane);
        return name switch
        {
            "%tid.x" => (uint)(thread % block.X),
            "%tid.y" => (uint)(thread / block.X % block.Y),
            "%tid.z" => (uint)(thread / block.X / block.Y),
            "%ntid.x" => (uint)block.X,
            "%ntid.y" => (uint)block.Y,
            "%ntid.z" => (uint)block.Z,
            "%nctaid.x" => (uint)launch.Grid.X,
            "%nctaid.y" => (uint)launch.Grid.Y,
            "%nctaid.z" => (uint)launch.Grid.Z,
            "%laneid" => (uint)lane,
            "%warpid" => (uint)warp,
            "%nwarpid" => (uint)((block.Count + 31) / 32),
            "%lanemask_eq" => 1u << lane,
            "%lanemask_lt" => (1u << lane) - 1,
            "%lanemask_le" => (1u << lane) | (1u << lane) - 1,
            "%lanemask_gt" => ~((1u << lane) | (1u << lane) - 1),
            "%lanemask_ge" => ~((1u << lane) - 1),
            _ => 0,
        };
    }

    // A vector is one access, but generic addresses may be shared by narrower ones of their elements.
    private static int Smallest(Op* op) => Math.Min(16, op->Bytes & -op->Bytes);

    public void Dispose() => _arena.Dispose();
}
