using EfficientAD.Imaging;
using EfficientAD.Tensors;

namespace EfficientAD.Cli.Demo;

/// <summary>One part on the belt in front of the camera: everything about it that is random, except defects.</summary>
/// <remarks>A pure function of seed and index. A defect changes nothing but what it touches: pose, light, assembly and
/// the sensor's noise are those of the same scene without it.</remarks>
internal sealed class ConveyorScene
{
    private const ulong SceneStream = 1UL << 32, NoiseStream = 2UL << 32, DefectStream = 3UL << 32;
    private const ulong CameraDraws = 16, BeltDraws = 32, AssemblyDraws = 128;
    private const int SampleSize = Camera.Samples * Camera.Size;
    private static readonly (float U, float V)[] Resistors = [(-61, 26), (-50, 26), (-39, 26), (-26, 29), (-15, 30)];

    private readonly CounterRandom _random, _defects;
    private readonly Placement _part;
    private readonly Camera _camera;
    private readonly Belt _belt;
    private readonly float _shade, _hue, _grain;
    private readonly int _serial;

    public ConveyorScene(ulong seed, int index)
    {
        _random = new CounterRandom(seed, SceneStream | (uint)index);
        _defects = new CounterRandom(seed, DefectStream | (uint)index);
        float x = Camera.Size / 2 + _random.Uniform(0, -4, 4), y = Camera.Size / 2 + _random.Uniform(1, -4, 4);
        _part = Placement.At(x, y, _random.Uniform(2, -2.5f, 2.5f));
        _shade = _random.Uniform(3, 0.95f, 1.05f);
        _hue = _random.Uniform(4, -1, 1);
        _grain = _random.Uniform(5, 0, 256);
        _serial = _random.Below(6, 100);
        _camera = new Camera(_random, CameraDraws, new CounterRandom(seed, NoiseStream | (uint)index));
        _belt = new Belt(_random, BeltDraws);
    }

    /// <summary>The defect of this kind that belongs to this scene.</summary>
    /// <param name="severity">0 (hard to see) to 1 (plain).</param>
    public Defect DrawDefect(DefectKind kind, float severity) => Defect.Draw(kind, _defects, severity);

    /// <returns>The image, and the mask of the defect: 255 where it shows, all 0 without one.</returns>
    public (RgbImage Image, GreyImage Mask) Render(Defect? defect = null)
    {
        var samples = new Sample[SampleSize * SampleSize];
        for (int y = 0; y < SampleSize; y++)
            for (int x = 0; x < SampleSize; x++)
            {
                (float u, float v) = _part.Inside(Centre(x), Centre(y));
                if (!Housing.Hides(u, v)) samples[y * SampleSize + x].Colour = _belt.Colour(Centre(x), Centre(y));
            }
        foreach (var layer in Layers(defect)) Paint(layer, samples);
        return (_camera.Expose(samples), Camera.Mask(samples));
    }

    /// <summary>From the lowest to the highest.</summary>
    private IEnumerable<Layer> Layers(Defect? defect)
    {
        var board = _part.Of(Placement.At(-20, 0));
        yield return new Housing(_part, _shade, _grain, defect?.Chip);
        yield return new Pocket(board);
        yield return new CircuitBoard(board, _hue);
        foreach (var component in Component.Nominal) yield return component.SeatOn(_part);
        foreach (var component in Mounted(defect, isLabel: true)) yield return component;
        if (defect?.Blemish is { } blemish) yield return blemish(_part);
        foreach (var (u, v) in Resistors) yield return new Resistor(_part.Of(Placement.At(u, v)));
        yield return new Microcontroller(_part.Of(Placement.At(-47, -13)));
        foreach (var component in Mounted(defect, isLabel: false)) yield return component;
        if (defect?.Extra is { } extra) yield return extra.On(_part, (_serial + 37) % 100, isDefect: true);
        if (defect?.Missing is { } missing) yield return new EmptyPlace(Component.Nominal[missing].On(_part, _serial));
    }

    private IEnumerable<Layer> Mounted(Defect? defect, bool isLabel)
    {
        for (int i = 0; i < Component.Nominal.Length; i++)
        {
            var nominal = Component.Nominal[i];
            if (nominal.Kind == ComponentKind.Label != isLabel || defect?.Missing == i) continue;
            yield return nominal.Assembled(_random, AssemblyDraws + 4 * (ulong)i).On(_part, _serial);
        }
    }

    private static void Paint(Layer layer, Sample[] samples)
    {
        var place = layer.Placement;
        int left = Edge(place.X - layer.Reach), right = Edge(place.X + layer.Reach);
        int top = Edge(place.Y - layer.Reach), bottom = Edge(place.Y + layer.Reach);
        for (int y = top; y < bottom; y++)
            for (int x = left; x < right; x++)
            {
                (float u, float v) = place.Inside(Centre(x), Centre(y));
                layer.Paint(u, v, ref samples[y * SampleSize + x]);
            }
    }

    /// <summary>The middle of a sample, in pixels.</summary>
    private static float Centre(int sample) => (sample + 0.5f) / Camera.Samples;

    private static int Edge(float position) => (int)Math.Clamp(position * Camera.Samples, 0, SampleSize);
}
