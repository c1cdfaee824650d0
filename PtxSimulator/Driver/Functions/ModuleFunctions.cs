using System.Runtime.InteropServices;
using System.Text;

namespace PtxSimulator.Driver.Functions;

/// <summary>Modules of PTX text. Cubins and fat binaries hold machine code, which nothing here executes.</summary>
internal static unsafe class ModuleFunctions
{
    private const int ErrorLogBuffer = 5, ErrorLogBytes = 6, InfoLogBuffer = 3, InfoLogBytes = 4;

    private const uint ElfMagic = 0x464C457F, FatBinaryMagic = 0xBA55ED50, WrapperMagic = 0x466243B1;

    public static void AddTo(Dictionary<string, nint> table)
    {
        table[nameof(cuModuleLoadData)] = (nint)(delegate* unmanaged<nint*, byte*, int>)&cuModuleLoadData;
        table[nameof(cuModuleLoadDataEx)] =
            (nint)(delegate* unmanaged<nint*, byte*, uint, int*, nuint*, int>)&cuModuleLoadDataEx;
        table[nameof(cuModuleUnload)] = (nint)(delegate* unmanaged<nint, int>)&cuModuleUnload;
        table[nameof(cuModuleGetLoadingMode)] = (nint)(delegate* unmanaged<int*, int>)&cuModuleGetLoadingMode;
        table[nameof(cuModuleGetFunction)] = (nint)(delegate* unmanaged<nint*, nint, byte*, int>)&cuModuleGetFunction;
    }

    [UnmanagedCallersOnly(EntryPoint = nameof(cuModuleLoadData))]
    private static int cuModuleLoadData(nint* module, byte* image) => Boundary.InContext(context =>
    {
        Boundary.RequireNotNull((nint)module, nameof(module));
        *module = Load(context, image);
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuModuleLoadDataEx))]
    private static int cuModuleLoadDataEx(nint* module, byte* image, uint count, int* options, nuint* values) =>
        Boundary.InContext(context =>
        {
            Boundary.RequireNotNull((nint)module, nameof(module));
            if (count > 0) Boundary.RequireNotNull((nint)options, nameof(options));
            if (count > 0) Boundary.RequireNotNull((nint)values, nameof(values));
            try
            {
                *module = Load(context, image);
                WriteLog("", InfoLogBuffer, InfoLogBytes, count, options, values);
                WriteLog("", ErrorLogBuffer, ErrorLogBytes, count, options, values);
            }
            catch (DriverException e)
            {
                WriteLog(e.Message, ErrorLogBuffer, ErrorLogBytes, count, options, values);
                throw;
            }
        });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuModuleUnload))]
    private static int cuModuleUnload(nint module) => Boundary.Call(() =>
    {
        DriverModule unloaded = Handles.Modules.Get(module);
        lock (unloaded.Context.Device.Lock)
        {
            unloaded.Unload();
            unloaded.Context.Disown(unloaded);
            Handles.Modules.Remove(module);
        }
    });

    /// <summary>Eager: a module is parsed when it is loaded.</summary>
    [UnmanagedCallersOnly(EntryPoint = nameof(cuModuleGetLoadingMode))]
    private static int cuModuleGetLoadingMode(int* mode) => Boundary.Call(() =>
    {
        Boundary.RequireNotNull((nint)mode, nameof(mode));
        *mode = 1;
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuModuleGetFunction))]
    private static int cuModuleGetFunction(nint* function, nint module, byte* name) => Boundary.Call(() =>
    {
        Boundary.RequireNotNull((nint)function, nameof(function));
        Boundary.RequireNotNull((nint)name, nameof(name));
        DriverModule owner = Handles.Modules.Get(module);
        lock (owner.Context.Device.Lock)
        {
            owner.Context.RequireUsable();
            *function = owner.GetFunction(Marshal.PtrToStringUTF8((nint)name)!);
        }
    });

    private static nint Load(DriverContext context, byte* image)
    {
        Boundary.RequireNotNull((nint)image, nameof(image));
        if (image[0] != 0 && image[1] != 0 && image[2] != 0
            && *(uint*)image is ElfMagic or FatBinaryMagic or WrapperMagic)
        {
            throw new DriverException(
                DriverError.NoBinaryForGpu, "the image is machine code; the simulator executes PTX.");
        }

        string ptx = Marshal.PtrToStringUTF8((nint)image)!;
        DriverModule module = DriverModule.Load(context, ptx);
        context.Own(module, $"module {module.Module.Name}");
        return Handles.Modules.Add(module);
    }

    /// <summary>Fills the buffer that the options name, with a zero at the end, and its size with what was
    /// written.</summary>
    private static void WriteLog(
        string text, int bufferOption, int sizeOption, uint count, int* options, nuint* values)
    {
        var names = new ReadOnlySpan<int>(options, (int)count);
        int buffer = names.IndexOf(bufferOption), size = names.IndexOf(sizeOption);
        if (buffer < 0 || size < 0 || values[buffer] == 0 || (int)values[size] < 1) return;
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int kept = Math.Min(bytes.Length, (int)values[size] - 1);
        bytes.AsSpan(0, kept).CopyTo(new Span<byte>((void*)values[buffer], kept));
        ((byte*)values[buffer])[kept] = 0;
        values[size] = (nuint)kept;
    }
}
