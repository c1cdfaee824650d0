using System.Numerics;
using static EfficientAD.Cli.Demo.SignedDistance;

namespace EfficientAD.Cli.Demo;

/// <summary>A thing in the scene: an outline, a surface, and the shadow that it casts on what lies below.</summary>
internal abstract class Layer(Placement placement, bool isDefect = false)
{
    public Placement Placement { get; } = placement;

    /// <summary>The direction of shadows in this layer's coordinates.</summary>
    protected (float U, float V) Light { get; } = placement.Light;

    /// <summary>Nothing is painted farther than this from the centre.</summary>
    public abstract float Reach { get; }

    /// <summary>How far it rises above what lies below, which is how far its shadow reaches; 0 for no shadow.</summary>
    protected virtual float Height => 0;

    /// <summary>Width of the shadow's soft edge.</summary>
    protected virtual float Penumbra => 1.2f;

    /// <summary>To the outline, negative inside.</summary>
    public abstract float Distance(float u, float v);

    /// <summary>To the outline that casts the shadow.</summary>
    protected virtual float ShadowDistance(float u, float v) => Distance(u, v);

    /// <summary>Reflectance at a point inside.</summary>
    protected abstract Vector3 Surface(float u, float v, float distance);

    public virtual void Paint(float u, float v, ref Sample sample)
    {
        float distance = Distance(u, v), cover = Cover(distance);
        if (Height > 0 && cover < 1)
        {
            float shadow = ShadowDistance(u - Height * Light.U, v - Height * Light.V);
            sample.Colour *= 1 - 0.55f * Soft(shadow, Penumbra);
        }
        if (cover > 0) sample.Cover(Surface(u, v, distance), cover, isDefect);
    }

    /// <summary>Light on a rounded edge of this width: -1 faces away from the lamp, 0 is flat, 1 faces it.</summary>
    protected float EdgeLight(float u, float v, float distance, float width)
    {
        const float Step = 0.25f;
        if (distance < -width) return 0;
        float slopeU = Distance(u + Step, v) - Distance(u - Step, v);
        float slopeV = Distance(u, v + Step) - Distance(u, v - Step);
        float facing = (slopeU * Light.U + slopeV * Light.V) / (2 * Step);
        return -facing * Math.Min(1 + distance / width, 1);
    }
}

/// <summary>Marks an outline as defective and paints nothing: the place of a component that is not there.</summary>
internal sealed class EmptyPlace(Layer missing) : Layer(missing.Placement)
{
    public override float Reach => missing.Reach;

    public override float Distance(float u, float v) => missing.Distance(u, v);

    protected override Vector3 Surface(float u, float v, float distance) => default;

    public override void Paint(float u, float v, ref Sample sample) =>
        sample.Mark(Cover(Distance(u, v)));
}
