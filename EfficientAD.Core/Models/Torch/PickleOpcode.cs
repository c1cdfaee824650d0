namespace EfficientAD.Models.Torch;

/// <summary>The opcodes that Python's pickle writes from protocol 2 on (pickletools lists all); INST, OBJ, PERSID, DUP,
/// the extension registry and the textual ones of protocol 0 are left out.</summary>
internal static class PickleOpcode
{
    public const byte Stop = (byte)'.';
    public const byte Mark = (byte)'(';
    public const byte Pop = (byte)'0';
    public const byte PopMark = (byte)'1';
    public const byte Protocol = 0x80;
    public const byte Frame = 0x95;

    public const byte None = (byte)'N';
    public const byte True = 0x88;
    public const byte False = 0x89;
    public const byte Integer = (byte)'J';
    public const byte Integer1 = (byte)'K';
    public const byte Integer2 = (byte)'M';
    public const byte Long1 = 0x8a;
    public const byte Long4 = 0x8b;
    public const byte Float = (byte)'G';
    public const byte String = (byte)'T';
    public const byte ShortString = (byte)'U';
    public const byte Unicode = (byte)'X';
    public const byte ShortUnicode = 0x8c;
    public const byte LongUnicode = 0x8d;
    public const byte Bytes = (byte)'B';
    public const byte ShortBytes = (byte)'C';
    public const byte LongBytes = 0x8e;

    public const byte EmptyTuple = (byte)')';
    public const byte Tuple = (byte)'t';
    public const byte Tuple1 = 0x85;
    public const byte Tuple2 = 0x86;
    public const byte Tuple3 = 0x87;
    public const byte EmptyList = (byte)']';
    public const byte List = (byte)'l';
    public const byte Append = (byte)'a';
    public const byte Appends = (byte)'e';
    public const byte EmptyDictionary = (byte)'}';
    public const byte Dictionary = (byte)'d';
    public const byte SetItem = (byte)'s';
    public const byte SetItems = (byte)'u';
    public const byte EmptySet = 0x8f;
    public const byte AddItems = 0x90;
    public const byte FrozenSet = 0x91;

    public const byte Global = (byte)'c';
    public const byte StackGlobal = 0x93;
    public const byte Reduce = (byte)'R';
    public const byte Build = (byte)'b';
    public const byte NewObject = 0x81;
    public const byte NewObjectKeywords = 0x92;
    public const byte PersistentId = (byte)'Q';

    public const byte Put = (byte)'q';
    public const byte LongPut = (byte)'r';
    public const byte Memoize = 0x94;
    public const byte Get = (byte)'h';
    public const byte LongGet = (byte)'j';
}
