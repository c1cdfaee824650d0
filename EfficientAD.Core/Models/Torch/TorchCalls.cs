namespace EfficientAD.Models.Torch;

/// <summary>The calls in a pickle whose result we know without making them.</summary>
internal static class TorchCalls
{
    /// <returns>A <see cref="TorchTensor"/> or <see cref="PickleDictionary"/>; null for any other call.</returns>
    /// <exception cref="ModelFormatException">The arguments do not describe a sound tensor; without the file's
    /// name.</exception>
    public static object? Understand(PickleGlobal function, object?[] arguments) =>
        (function.Module, function.Name) switch
        {
            ("torch._utils", "_rebuild_tensor" or "_rebuild_tensor_v2") => Tensor(arguments),
            ("torch._utils", "_rebuild_parameter" or "_rebuild_parameter_with_state") =>
                arguments is [var data, ..] ? data : throw new ModelFormatException("makes a parameter of nothing"),
            // A tensor with attributes of its own: function, type, arguments, state.
            ("torch._tensor", "_rebuild_from_type_v2") =>
                arguments is [PickleGlobal inner, _, PickleTuple { Items: var values }, ..]
                && inner.Name != function.Name
                    ? Understand(inner, values)
                    : throw new ModelFormatException("makes a tensor of something that is none"),
            ("collections", "OrderedDict") => Dictionary(arguments),
            ("collections", "defaultdict") => new PickleDictionary(),
            _ => null,
        };

    private static TorchTensor Tensor(object?[] arguments) =>
        arguments is [TorchStorage storage, long offset, PickleTuple shape, PickleTuple strides, ..]
            && shape.Integers() is { } extents && strides.Integers() is { } steps
            ? TorchTensor.Create(storage, offset, extents, steps)
            : throw new ModelFormatException("makes a tensor without a storage, an offset, a shape and strides");

    /// <summary>Entries are set afterwards; Python 2 gave them as a list, which many calls could share.</summary>
    private static PickleDictionary Dictionary(object?[] arguments) => arguments.Length == 0
        ? new PickleDictionary()
        : throw new ModelFormatException("makes a dictionary as Python 2 wrote it (save it again with Python 3)");
}
