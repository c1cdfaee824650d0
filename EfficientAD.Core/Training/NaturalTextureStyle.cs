using EfficientAD.Tensors;

namespace EfficientAD.Training;

/// <summary>What all leaves of one image have in common, so that images differ more than their parts do.</summary>
internal readonly struct NaturalTextureStyle
{
    private const int Hues = 3;
    private readonly CounterRandom _random;
    private readonly ulong _first;
    private readonly float _saturation, _darkest, _brightest;

    public NaturalTextureStyle(CounterRandom random, ulong first)
    {
        (_random, _first) = (random, first);
        FarLayers = random.Uniform(first, 0, 3);
        float near = random.Uniform(first + 12), defocus = random.Uniform(first + 13);
        NearLayers = 2 * near * near * near;
        Defocus = (int)(9 * defocus * defocus);
        float coarse = random.Uniform(first + 1);
        SmallestRadius = 3 + 20 * coarse * coarse;
        float rough = random.Uniform(first + 2);
        Texture = 0.02f + 0.4f * rough;
        Shading = random.Uniform(first + 3, 0.05f, 0.8f);
        Uprightness = random.Uniform(first + 14);
        Strands = Math.Max(random.Uniform(first + 15, -0.6f, 1), 0);
        Elongation = random.Uniform(first + 4);
        Angularity = random.Uniform(first + 5);
        Blur = random.Uniform(first + 6, 0.03f, 0.2f);
        LightX = random.Uniform(first + 7, -0.2f, 0.2f);
        LightY = random.Uniform(first + 8, -0.25f, 0.1f);  // light mostly comes from above
        float colourful = random.Uniform(first + 9);
        _saturation = 0.05f + 0.6f * colourful * colourful;
        _darkest = random.Uniform(first + 10, 0.02f, 0.3f);
        _brightest = random.Uniform(first + 11, 0.55f, 1.05f);
    }

    /// <summary>How often a pixel is covered by what lies out of focus, on average.</summary>
    public float FarLayers { get; }

    /// <summary>How often a pixel is covered by what lies in focus, on average.</summary>
    public float NearLayers { get; }

    /// <summary>Half the width, in pixels, of each of the three means that blur what lies out of focus.</summary>
    public int Defocus { get; }

    /// <summary>Fraction of leaves that are long and thin: hairs, cables, cracks.</summary>
    public float Strands { get; }

    /// <summary>Fraction of leaves that stand upright or lie, as walls and trees do.</summary>
    public float Uprightness { get; }

    /// <summary>In pixels.</summary>
    public float SmallestRadius { get; }

    /// <summary>Standard deviation of a leaf's texture, relative to a leaf's brightness.</summary>
    public float Texture { get; }

    /// <summary>Change of brightness across a leaf, relative to its brightness.</summary>
    public float Shading { get; }

    /// <summary>0: all leaves round, 1: many long ones.</summary>
    public float Elongation { get; }

    /// <summary>Fraction of leaves with straight edges.</summary>
    public float Angularity { get; init; }

    /// <summary>Weight of each neighbour in the final 3 x 3 blur; the centre has the rest.</summary>
    public float Blur { get; }

    /// <summary>Relative change of the light from the centre to the right edge.</summary>
    public float LightX { get; }

    /// <summary>Relative change of the light from the centre to the lower edge.</summary>
    public float LightY { get; }

    /// <summary>A colour: brightness varies most, yellow against blue less, red against green least, as in photographs
    /// (Ruderman, Cronin and Chiao, 1998); a picture has few hues.</summary>
    public (float Red, float Green, float Blue) Colour(CounterRandom random, ulong first)
    {
        ulong hue = _first + 16 + 2 * (ulong)random.Below(first, Hues);
        float yellow = _saturation * (_random.Uniform(hue, -0.8f, 1.2f) + random.Uniform(first + 1, -0.5f, 0.5f));
        float red = _saturation * (_random.Uniform(hue + 1, -0.7f, 0.9f) + random.Uniform(first + 2, -0.3f, 0.3f));
        float brightness = _darkest + (_brightest - _darkest) * random.Uniform(first + 3);
        return (brightness * (1 + 0.3f * yellow + 0.4f * red),
                brightness * (1 + 0.15f * yellow - 0.25f * red),
                brightness * (1 - 0.7f * yellow + 0.05f * red));
    }
}
