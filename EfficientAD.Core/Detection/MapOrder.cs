namespace EfficientAD.Detection;

/// <summary>In which order maps are scaled, combined and resized; published implementations differ.</summary>
public enum MapOrder
{
    /// <summary>nelson1425/EfficientAD: raw maps are scaled and combined, padded by 4 zeros and resized to the image.
    /// Pixels lie 1.5 of the network's pixels too far right and down.</summary>
    Reference,

    /// <summary>The paper: both maps are resized to the network's input before quantiles, scaling and
    /// combination.</summary>
    Paper,

    /// <summary>anomalib: raw maps are padded by 4 zeros, resized to the network's input, then scaled and
    /// combined.</summary>
    Anomalib,

    /// <summary>Raw maps are scaled, combined and resized so that every value lies at the centre of the patch it
    /// describes; the frame that no patch is centred on repeats the nearest value.</summary>
    Aligned,
}

internal static class MapOrders
{
    /// <summary>Whether the score is the maximum of the map at the input's size, not of that at the image's.</summary>
    public static bool IsScoredAtInput(this MapOrder order) => order is MapOrder.Paper or MapOrder.Anomalib;
}
