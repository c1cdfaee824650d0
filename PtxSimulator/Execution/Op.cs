using PtxSimulator.Parsing;

namespace PtxSimulator.Execution;

/// <summary>A decoded instruction. Operands are byte offsets into a warp's registers; constants, special registers and
/// addresses of variables have registers of their own, filled before the kernel starts.</summary>
internal unsafe struct Op
{
    /// <summary>Does the instruction for the lanes of <see cref="Warp.Mask"/>.</summary>
    public delegate*<Warp, Op*, void> Run;

    /// <summary>Memory instructions: checks addresses and turns them into <see cref="Warp.Offsets"/>.</summary>
    public delegate*<Warp, Op*, void> Resolve;

    /// <summary>The predicate that guards the instruction, and the bits that turn it over.</summary>
    public int Guard;
    public uint GuardFlip;

    /// <summary>Place in the program.</summary>
    public int Index;

    /// <summary>Bytes that a thread accesses.</summary>
    public int Bytes;

    /// <summary>What a modifier or an address adds: an offset, a target, a mode.</summary>
    public long Immediate;

    public int D;
    public int A;
    public int B;
    public int C;
    public int E;

    /// <summary>Elements of a vector, fragments of a matrix.</summary>
    public fixed int V[16];

    /// <summary>Bytes of the register that holds the address.</summary>
    public int AddressBytes;

    /// <summary>Where a memory instruction goes.</summary>
    public StateSpace Space;

    /// <summary>What a memory instruction does to memory.</summary>
    public Access Access;

    /// <summary>Instructions that access memory in two spaces, or in one that is known at run time only: one part for
    /// each.</summary>
    public Op* Parts;

    /// <summary>wgmma: the accumulators, then a where it lies in registers; <see cref="Count"/> of them.</summary>
    public int* Places;

    /// <summary>Other instructions: registers that wgmma uses too, as their number among those, doubled, and 1 if it is
    /// written; -1 at the end. Null for none.</summary>
    public int* Fragments;

    /// <summary>Bits that turn over a predicate among the sources.</summary>
    public uint Flip;

    /// <summary>Elements of <see cref="V"/> in use.</summary>
    public int Count;
}

[Flags]
internal enum Access
{
    Read = 1,
    Write = 2,
    Atomic = Read | Write | 4,

    /// <summary>A write that is done at some moment until the thread waits for it.</summary>
    Copy = Write | 8,
}
