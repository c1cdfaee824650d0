using System.Globalization;
using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Networks;

namespace EfficientAD.Models.Import;

/// <summary>One of the three networks of the method.</summary>
public enum NetworkRole
{
    Teacher,
    Student,
    Autoencoder,
}

/// <summary>A network in somebody's file, under somebody's names.</summary>
/// <param name="File">Where it was found.</param>
/// <param name="Prefix">What stands before its own names: "state_dict.model.teacher.".</param>
/// <param name="Layout">How its layers are named.</param>
/// <param name="Size">Of a patch description network; null for the autoencoder.</param>
/// <param name="IsPadded">Whether its file says that it pads its maps; null where it says nothing.</param>
internal sealed record FoundNetwork(
    WeightsFile File, string Prefix, NetworkLayout Layout, NetworkRole Role, PdnSize? Size, bool? IsPadded)
{
    /// <summary>Fills a network.</summary>
    /// <exception cref="ModelFormatException">A tensor is missing, has another shape, or is not finite.</exception>
    public void Load(Network network, IBackend backend)
    {
        int layer = 0;
        foreach (Parameter parameter in network.Parameters)
        {
            // Weight and bias follow each other.
            string kind = parameter.Name[(parameter.Name.LastIndexOf('.') + 1)..];
            string name = Prefix + Layout.NameOf(layer++ / 2, parameter.Name[..^(kind.Length + 1)]) + "." + kind;
            NetworkWeights.Load(File.Name, File.Get(name), parameter.Value, backend);
        }
    }
}

/// <summary>How an implementation names the layers of a network.</summary>
/// <param name="Description">In words, for messages.</param>
/// <param name="NameOf">The name of layer i (from 0), given ours.</param>
internal sealed record NetworkLayout(string Description, Func<int, string, string> NameOf)
{
    /// <summary>Places of the convolutions in the reference's nn.Sequential.</summary>
    private static readonly int[] SmallPlaces = [0, 3, 6, 8], MediumPlaces = [0, 3, 6, 8, 10, 12];
    private static readonly int[] AutoencoderPlaces = [0, 2, 4, 6, 8, 10, 12, 16, 20, 24, 28, 32, 36, 38];

    /// <summary>conv1, ..., enconv1, ..., deconv1, ...: ours, and anomalib's patch description networks.</summary>
    public static NetworkLayout Named { get; } = new("named layers (anomalib, efficientad)", (_, name) => name);

    /// <summary>encoder.enconv1, ..., decoder.deconv1, ...</summary>
    public static NetworkLayout AnomalibAutoencoder { get; } = new("anomalib's autoencoder", (_, name) =>
        name.StartsWith("en", StringComparison.Ordinal) ? $"encoder.{name}" : $"decoder.{name}");

    public static NetworkLayout Sequential(PdnSize? size)
    {
        int[] places = size switch
        {
            PdnSize.Small => SmallPlaces,
            PdnSize.Medium => MediumPlaces,
            _ => AutoencoderPlaces,
        };
        return new(
            "numbered layers (nelson1425/EfficientAD)",
            (layer, _) => places[layer].ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>The name of a patch description network's last layer.</summary>
    public string LastOf(PdnSize size)
    {
        int last = size == PdnSize.Small ? 3 : 5;
        return NameOf(last, $"conv{last + 1}");
    }
}
