using EfficientAD.Backends;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Detection;

/// <summary>Both raw maps of a large input, computed tile by tile, so that the networks' buffers have a tile's size.
/// Tiles overlap by what an output sees (33 pixels), which makes them exact: the maps are those of the whole input up
/// to rounding. The autoencoder sees the whole image each time, which adds its part of the work to every
/// tile.</summary>
/// <remarks>Not thread-safe. Unpadded networks: padded ones would see every tile's border.</remarks>
internal sealed class TiledMaps : IDisposable
{
    // An output sees 33 pixels, the next one lies 4 further: n outputs see 4 n + 29 pixels.
    private const int Stride = 4, Halo = PatchDescriptionNetwork.ReceptiveField - Stride;

    private readonly IBackend _backend;
    private readonly NetworkInput _input;
    private readonly FeatureWindow _window;
    private readonly DetectionPlan _plan;
    private readonly int _tileHeight, _tileWidth;
    private readonly float[] _tile, _local, _global;

    /// <param name="height">Of the whole input in pixels.</param>
    /// <param name="width">Of the whole input in pixels.</param>
    /// <param name="side">Of a tile in pixels, at most.</param>
    /// <param name="plan">Makes the plan of a tile of the given extent.</param>
    public TiledMaps(
        IBackend backend, NetworkInput input, int height, int width, int side,
        Func<int, int, FeatureWindow, DetectionPlan> plan)
    {
        (_backend, _input) = (backend, input);
        int mapHeight = PatchDescriptionNetwork.OutputSize(height, padded: false);
        int mapWidth = PatchDescriptionNetwork.OutputSize(width, padded: false);
        (_tileHeight, _tileWidth) = (Outputs(side, mapHeight), Outputs(side, mapWidth));
        LocalMap = backend.Allocate(new Shape(1, 1, mapHeight, mapWidth));
        GlobalMap = backend.Allocate(LocalMap.Shape);
        (_tile, _local, _global) =
            (new float[_tileHeight * _tileWidth], new float[mapHeight * mapWidth], new float[mapHeight * mapWidth]);
        _window = new FeatureWindow(mapHeight, mapWidth);
        _plan = plan(Stride * _tileHeight + Halo, Stride * _tileWidth + Halo, _window);
    }

    /// <summary>Teacher against student, raw, [1, 1, h, w] of the whole input.</summary>
    public Tensor LocalMap { get; }

    /// <summary>Autoencoder against student, likewise.</summary>
    public Tensor GlobalMap { get; }

    /// <summary>Draws the whole input in 8 bits, and the autoencoder's.</summary>
    public void Preprocess(ImageView image)
    {
        _input.Write(image, ColourAdjustment.None, _plan.Input.AutoencoderImage);
        _input.Draw(image, ColourAdjustment.None);
    }

    /// <summary>Computes both maps of what was drawn last.</summary>
    public void Compute()
    {
        Tensor tile = _plan.Input.Image;
        ImageView canvas = _input.Drawn;
        foreach (int top in Starts(LocalMap.Shape.H, _tileHeight))
        {
            foreach (int left in Starts(LocalMap.Shape.W, _tileWidth))
            {
                _window.Place = (top, left);
                _input.WriteDrawn(canvas.Crop(Stride * left, Stride * top, tile.Shape.W, tile.Shape.H), tile);
                _plan.ComputeMaps(1);
                Keep(_plan.LocalMap, _local, top, left);
                Keep(_plan.GlobalMap, _global, top, left);
            }
        }

        _backend.Upload(_local, LocalMap);
        _backend.Upload(_global, GlobalMap);
    }

    public void Dispose()
    {
        _plan.Dispose();
        LocalMap.Dispose();
        GlobalMap.Dispose();
    }

    /// <summary>Outputs of a tile along one direction.</summary>
    private static int Outputs(int side, int whole) => Math.Clamp((side - Halo) / Stride, 1, whole);

    /// <summary>The tiles' first outputs; the last tile ends where the map does, and may overlap the one
    /// before.</summary>
    private static IEnumerable<int> Starts(int whole, int tile)
    {
        for (int start = 0; start + tile < whole; start += tile) yield return start;
        yield return whole - tile;
    }

    private void Keep(Tensor map, float[] whole, int top, int left)
    {
        _backend.Download(map, _tile);
        for (int y = 0; y < _tileHeight; y++)
            _tile.AsSpan(y * _tileWidth, _tileWidth).CopyTo(whole.AsSpan((top + y) * LocalMap.Shape.W + left));
    }
}
