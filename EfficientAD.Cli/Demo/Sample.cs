using System.Numerics;

namespace EfficientAD.Cli.Demo;

/// <summary>What the camera sees through a quarter of a pixel, built up from the lowest layer to the highest.</summary>
/// <remarks>Of vectors only +, - and * are used: their other operations may fuse or reorder on some machines.</remarks>
internal struct Sample
{
    /// <summary>Fraction of the light that is reflected, linear; red, green, blue.</summary>
    public Vector3 Colour;

    /// <summary>0 to 1: how much of what is seen is a defect.</summary>
    public float Defect;

    /// <summary>Covers what lies below by an opaque thing.</summary>
    public void Cover(Vector3 colour, float cover, bool isDefect = false)
    {
        Colour += (colour - Colour) * cover;
        Defect = isDefect ? Math.Max(Defect, cover) : Defect * (1 - cover);
    }

    public void Mark(float cover) => Defect = Math.Max(Defect, cover);

    /// <summary>A colour as screens show it, as linear reflectance. Screens are taken to have a gamma of exactly 2, so
    /// that the camera's inverse is an exact square root.</summary>
    public static Vector3 Display(float red, float green, float blue) =>
        new(red * red / 65025, green * green / 65025, blue * blue / 65025);
}
