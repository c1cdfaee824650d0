namespace EfficientAD.Models.Torch;

/// <summary>The names that may occur in the pickle of a model. Nothing is ever called, whatever it is named: the table
/// is there so that a file which asks for more than a model needs is refused instead of half read.</summary>
internal static class PickleNames
{
    /// <summary>Packages whose classes and functions checkpoints and whole modules refer to.</summary>
    private static readonly string[] Packages =
    [
        "torch", "torchvision", "torchmetrics", "lightning", "lightning_fabric", "lightning_utilities",
        "pytorch_lightning",
        "anomalib", "omegaconf", "jsonargparse", "pathlib",
    ];

    private static readonly HashSet<string> Names =
    [
        "collections.OrderedDict", "collections.defaultdict", "collections.deque", "collections.Counter",
        "functools.partial", "copyreg._reconstructor", "copy_reg._reconstructor", "_codecs.encode",
        "argparse.Namespace", "types.SimpleNamespace", "typing.Any", "typing.Union", "typing.Optional", "typing.Dict",
        "typing.List", "datetime.datetime", "datetime.timedelta",
        "numpy.dtype", "numpy.ndarray", "numpy.core.multiarray.scalar", "numpy.core.multiarray._reconstruct",
        "numpy._core.multiarray.scalar", "numpy._core.multiarray._reconstruct",
    ];

    private static readonly HashSet<string> BuiltIns =
    [
        "object", "set", "frozenset", "list", "dict", "tuple", "bytearray", "bytes", "str", "int", "float", "bool",
        "complex", "slice", "range",
        // How bound methods are written: the object, and the method's name.
        "getattr",
    ];

    public static bool Contains(string module, string name)
    {
        if (module is "builtins" or "__builtin__") return BuiltIns.Contains(name);
        if (Names.Contains($"{module}.{name}")) return true;
        return Array.Exists(Packages, package =>
            module.StartsWith(package, StringComparison.Ordinal)
                && (module.Length == package.Length || module[package.Length] == '.'));
    }
}
