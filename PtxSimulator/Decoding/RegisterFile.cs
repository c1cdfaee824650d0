using PtxSimulator.Parsing;

namespace PtxSimulator.Decoding;

/// <summary>Where each operand lies in the registers of a warp: 128 bytes for up to 32 bits per lane, 256 for 64, 4 for
/// a predicate. Constants, special registers and addresses have places too.</summary>
internal sealed class RegisterFile
{
    private readonly int[] _places;
    private readonly Dictionary<(ulong Bits, int Bytes), int> _constants = [];
    private readonly Dictionary<(string Name, int Bytes), int> _specials = [];

    public RegisterFile(int registers)
    {
        _places = new int[registers];
        Array.Fill(_places, -1);
        // Offset 0 holds a predicate that is true: the guard of what is not guarded.
        Bytes = 64;
    }

    /// <summary>Bytes of one warp.</summary>
    public int Bytes { get; private set; }

    public IReadOnlyDictionary<(ulong Bits, int Bytes), int> Constants => _constants;

    public IReadOnlyDictionary<(string Name, int Bytes), int> Specials => _specials;

    public int Of(Register register)
    {
        ref var place = ref _places[register.Index];
        if (place < 0) place = Take(register.Bytes);
        return place;
    }

    public int Constant(ulong bits, int bytes)
    {
        if (bytes < 8) bits &= (1ul << 8 * bytes) - 1;
        if (!_constants.TryGetValue((bits, bytes), out var place)) _constants[(bits, bytes)] = place = Take(bytes);
        return place;
    }

    public int Special(string name, int bytes)
    {
        if (!_specials.TryGetValue((name, bytes), out var place)) _specials[(name, bytes)] = place = Take(bytes);
        return place;
    }

    private int Take(int bytes)
    {
        var place = Bytes;
        Bytes += bytes switch { 0 => 64, 8 => 256, _ => 128 };
        return place;
    }
}
