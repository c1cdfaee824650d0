using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

namespace EfficientAD.Kernels.Compiler;

/// <summary>NVIDIA's run-time compiler: CUDA C++ to PTX, in this process.</summary>
internal sealed unsafe partial class Nvrtc
{
    private const string Library = "nvrtc";

    public Nvrtc(CompilerFolder folder)
    {
        NativeLibrary.Load(folder.Builtins);
        NativeLibrary.SetDllImportResolver(Assembly.GetExecutingAssembly(), (name, _, _) =>
            name == Library ? NativeLibrary.Load(folder.Nvrtc) : 0);
        int major, minor;
        Check(nvrtcVersion(&major, &minor));
        Version = new Version(major, minor);
    }

    public Version Version { get; }

    /// <summary>Compiles one file.</summary>
    /// <param name="name">Of the file, as errors and line information shall call it.</param>
    /// <param name="headers">Name to text of whatever it may include.</param>
    /// <exception cref="InvalidDataException">It does not compile; the message is the compiler's log.</exception>
    public string Compile(string name, string source, IReadOnlyDictionary<string, string> headers, string[] options)
    {
        nint program;
        string[] texts = [.. headers.Values], names = [.. headers.Keys];
        Check(nvrtcCreateProgram(&program, source, name, names.Length, texts, names));
        try
        {
            int result = nvrtcCompileProgram(program, options.Length, options);
            if (result != 0)
            {
                string log = Text(program, nvrtcGetProgramLogSize, nvrtcGetProgramLog);
                throw new InvalidDataException($"NVRTC {Version}, {string.Join(' ', options)}:\n{log}");
            }

            return Text(program, nvrtcGetPTXSize, nvrtcGetPTX);
        }
        finally
        {
            Check(nvrtcDestroyProgram(&program));
        }
    }

    private delegate int SizeOf(nint program, nuint* size);

    private delegate int Read(nint program, byte* text);

    /// <summary>The sizes count the terminating zero.</summary>
    private static string Text(nint program, SizeOf sizeOf, Read read)
    {
        nuint size;
        Check(sizeOf(program, &size));
        byte[] text = new byte[size];
        fixed (byte* start = text) Check(read(program, start));
        return Encoding.UTF8.GetString(text, 0, text.Length - 1);
    }

    private static void Check(
        int result, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(result))] string call = "")
    {
        if (result != 0) throw new InvalidOperationException($"{call[..call.IndexOf('(')]} failed with {result}.");
    }

    [LibraryImport(Library)]
    private static partial int nvrtcVersion(int* major, int* minor);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int nvrtcCreateProgram(
        nint* program, string source, string name, int headerCount, string[] headers, string[] includeNames);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int nvrtcCompileProgram(nint program, int optionCount, string[] options);

    [LibraryImport(Library)]
    private static partial int nvrtcGetProgramLogSize(nint program, nuint* size);

    [LibraryImport(Library)]
    private static partial int nvrtcGetProgramLog(nint program, byte* log);

    [LibraryImport(Library)]
    private static partial int nvrtcGetPTXSize(nint program, nuint* size);

    [LibraryImport(Library)]
    private static partial int nvrtcGetPTX(nint program, byte* ptx);

    [LibraryImport(Library)]
    private static partial int nvrtcDestroyProgram(nint* program);
}
