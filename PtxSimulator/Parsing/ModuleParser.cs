using System.Runtime.InteropServices;

namespace PtxSimulator.Parsing;

/// <summary>Parses a module: directives, variables and entries.</summary>
internal sealed class ModuleParser
{
    private readonly TokenStream _tokens;
    private readonly ModuleSyntax _module = new();
    private readonly Scope _scope = new(null);

    private ModuleParser(TokenStream tokens) => _tokens = tokens;

    public static ModuleSyntax Parse(string ptx, string name)
    {
        var parser = new ModuleParser(new TokenStream(Lexer.Read(ptx, name), name));
        parser.ParseModule();
        return parser._module;
    }

    private void ParseModule()
    {
        while (!_tokens.AtEnd)
        {
            var word = _tokens.Word();
            switch (word)
            {
                case ".version": _tokens.Next(); break;
                case ".target": ParseTarget(); break;
                case ".address_size":
                    if (_tokens.Integer() != 64) throw _tokens.Error(".address_size is not 64.");
                    break;
                case ".file": ParseFile(); break;
                case ".section": SkipSection(); break;
                case ".visible" or ".extern" or ".weak": break;
                default: ParseDeclaration(word); break;
            }
        }
    }

    private void ParseTarget()
    {
        var target = _tokens.Word();
        if (!target.StartsWith("sm_", StringComparison.Ordinal)
            || !int.TryParse(target.AsSpan(3).TrimEnd('a'), out var number))
            throw _tokens.Error($"'{target}' is not a target such as sm_80.");
        _module.Target = number;
        while (_tokens.Skip(",")) _tokens.Word();  // debug
    }

    private void ParseFile()
    {
        var index = _tokens.Integer();
        _module.Files[index] = _tokens.Next().Text;
        while (_tokens.Skip(",")) _tokens.Integer();  // time, size
    }

    private void SkipSection()
    {
        while (!_tokens.Skip("{")) _tokens.Next();
        while (!_tokens.Skip("}")) _tokens.Next();
    }

    private void ParseDeclaration(string word)
    {
        switch (word)
        {
            case ".entry":
                _module.Kernels.Add(new KernelParser(_tokens, _scope).Parse());
                break;
            case ".func":
                throw _tokens.Error("functions that are called are not simulated; inline them (__forceinline__).");
            case ".global" or ".const" or ".shared":
                foreach (var variable in ParseVariables(_tokens, VariableSpace(word)))
                {
                    _scope.Declare(variable);
                    _module.Variables[variable.Name] = variable;
                }
                break;
            default:
                throw _tokens.Error($"unknown directive '{word}'.");
        }
    }

    public static StateSpace VariableSpace(string directive) => directive switch
    {
        ".global" => StateSpace.Global,
        ".const" => StateSpace.Constant,
        ".shared" => StateSpace.Shared,
        _ => StateSpace.Local,
    };

    /// <summary>Parses what follows a space: alignment, type, names with sizes, initial values, up to the semicolon.
    /// </summary>
    public static List<Variable> ParseVariables(TokenStream tokens, StateSpace space)
    {
        var alignment = tokens.Skip(".align") ? tokens.Integer() : 0;
        var vector = tokens.Skip(".v2") ? 2 : tokens.Skip(".v4") ? 4 : 1;
        var element = TypeBytes(tokens);
        if (alignment == 0) alignment = element * vector;
        var variables = new List<Variable>();
        do
        {
            var name = tokens.Word();
            var bytes = element * vector;
            while (tokens.Skip("["))
            {
                bytes *= tokens.At("]") ? 0 : tokens.Integer();
                tokens.Expect("]");
            }
            var initial = tokens.Skip("=") ? InitialBytes(tokens, element, bytes) : null;
            variables.Add(new Variable(name, space, alignment, bytes) { Initial = initial });
        }
        while (tokens.Skip(","));
        tokens.Expect(";");
        return variables;
    }

    private static byte[] InitialBytes(TokenStream tokens, int element, int bytes)
    {
        var initial = new byte[bytes];
        var (written, depth) = (0, 0);
        do
        {
            while (tokens.Skip("{")) depth++;
            var bits = tokens.Constant().Bits;
            if (written + element > bytes) throw tokens.Error($"more initial values than the {bytes} bytes hold.");
            MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in bits))[..element].CopyTo(initial.AsSpan(written));
            written += element;
            while (depth > 0 && tokens.Skip("}")) depth--;
        }
        while (depth > 0 && tokens.Skip(","));
        return initial;
    }

    /// <summary>Reads a type and returns its bytes, 0 for a predicate.</summary>
    public static int TypeBytes(TokenStream tokens)
    {
        var type = tokens.Word();
        return type switch
        {
            ".pred" => 0,
            ".b8" or ".u8" or ".s8" => 1,
            ".b16" or ".u16" or ".s16" or ".f16" => 2,
            ".b32" or ".u32" or ".s32" or ".f32" or ".f16x2" => 4,
            ".b64" or ".u64" or ".s64" or ".f64" => 8,
            _ => throw tokens.Error($"unknown type '{type}'."),
        };
    }
}
