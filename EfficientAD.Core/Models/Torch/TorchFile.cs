using EfficientAD.Models.Archives;

namespace EfficientAD.Models.Torch;

/// <summary>A file written by torch.save, open for reading: what it holds, and the values of its tensors.</summary>
/// <remarks>Both formats: the zip archive (since PyTorch 1.6) and the sequence of pickles before it. Files are
/// untrusted: see <see cref="PickleReader"/> and <see cref="StoredZip"/>.</remarks>
internal sealed class TorchFile : IDisposable
{
    public const int MaximumPickle = 64 << 20;

    private readonly MappedFile _file;
    private readonly IStorages _storages;

    private TorchFile(string name, MappedFile file, IStorages storages, object? root)
    {
        (Name, _file, _storages, Root) = (name, file, storages, root);
    }

    /// <summary>Where a format keeps the values of its storages.</summary>
    internal interface IStorages
    {
        ReadOnlySpan<byte> Read(TorchStorage storage);
    }

    public string Name { get; }

    /// <summary>What was saved: see <see cref="PickleReader.Read"/>.</summary>
    public object? Root { get; }

    /// <summary>Whether the file is of the format before 1.6.</summary>
    public bool IsLegacy => _storages is LegacyTorchArchive;

    public static bool IsZip(ReadOnlySpan<byte> start) => start.StartsWith("PK\u0003\u0004"u8);

    /// <summary>A pickle of protocol 2 or later; of PyTorch's only if the magic number follows.</summary>
    public static bool IsPickle(ReadOnlySpan<byte> start) => start is [0x80, >= 2 and <= 5, ..];

    /// <param name="file">Owned by the result from now on, whether opening succeeds or not.</param>
    /// <exception cref="ModelFormatException">The content is damaged or hostile, or was not written by
    /// torch.save.</exception>
    public static TorchFile Open(string name, MappedFile file)
    {
        try
        {
            if (IsZip(file.Start(4)))
            {
                var archive = new ZipTorchArchive(name, new StoredZip(name, file));
                return new TorchFile(name, file, archive, archive.ReadRoot());
            }

            var legacy = new LegacyTorchArchive(name, file);
            return new TorchFile(name, file, legacy, legacy.Root);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Copies a tensor's values, row-major, as floats.</summary>
    /// <param name="path">The tensor's name, for messages.</param>
    /// <param name="destination">Overwritten; must hold exactly the tensor's values.</param>
    /// <exception cref="ModelFormatException">The values are missing, damaged or of another type.</exception>
    public void ReadFloats(string path, TorchTensor tensor, Span<float> destination)
    {
        if (destination.Length != tensor.Count)
        {
            throw new ArgumentException(
                $"Tensor '{path}' of {Name} has {tensor.Count} values but the destination holds {destination.Length}.",
                nameof(destination));
        }

        try
        {
            tensor.ReadFloats(_storages.Read(tensor.Storage), destination);
        }
        catch (ModelFormatException e) when (!e.Message.StartsWith(Name, StringComparison.Ordinal))
        {
            throw new ModelFormatException($"{Name}: tensor '{SafetensorsHeader.Printable(path)}' {e.Message}.");
        }
    }

    public void Dispose() => _file.Dispose();
}
