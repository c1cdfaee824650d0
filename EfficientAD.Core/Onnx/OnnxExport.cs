using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Onnx;

/// <summary>A trained model as an ONNX file that computes what an <see cref="Detection.AnomalyDetector"/> does, for
/// other runtimes.</summary>
/// <remarks>
/// Input <c>image</c>: float [n, 3, h, w], normalised as the networks want it, or, with preprocessing, 8-bit RGB [n, h,
/// w, 3] of the same size. A model whose input is not 256 x 256 has a second one, <c>autoencoder_image</c>, the same
/// picture at 256 x 256. Outputs: <c>map</c> [n, 1, h, w] and <c>score</c> [n], as a detector gives for pictures of the
/// input's size, and the raw maps <c>local_map</c> and <c>global_map</c>. With a letterbox the input is the picture in
/// its frame, and <c>map</c> and <c>score</c> are those of the part that the picture covers. The resize of other
/// pictures, exact to Pillow's bits, has no ONNX operator and stays with the caller.
/// </remarks>
public sealed class OnnxExport
{
    private readonly OnnxGraphWriter _graph = new();
    private readonly CpuBackend _backend;
    private readonly ModelInformation _information;

    private OnnxExport(CpuBackend backend, ModelInformation information) =>
        (_backend, _information) = (backend, information);

    /// <param name="includePreprocessing">Takes 8-bit RGB and normalises it in the graph.</param>
    public static void Write(ModelFile model, bool includePreprocessing, Stream stream)
    {
        ModelInformation information = model.Information;
        if (information.Pooled is not null)
        {
            throw new NotSupportedException(
                "The model has a head on pooled features, which the graph would lack: scores and threshold would not " +
                "fit. Train without it.");
        }

        using var backend = new CpuBackend(new CpuOptions { Threads = 1 });
        using DetectionNetworks networks = model.Load(backend);
        var export = new OnnxExport(backend, information);
        export.AddAll(networks, includePreprocessing);
        export._graph.Save(stream, "efficientad", information.LibraryVersion, information.Pairs());
    }

    /// <summary>Where the model's images lie in the input; all of it where they are squashed.</summary>
    /// <exception cref="NotSupportedException">The images have several shapes: a graph has one.</exception>
    internal static FittedArea AreaOf(ModelInformation information)
    {
        if (information.Fit == ImageFit.Letterbox && information.ImageHeight == 0)
        {
            throw new NotSupportedException(
                "The model was trained with a letterbox on images of several sizes; a graph can hold one place only. " +
                "Train on images of one size, or with --resize squash.");
        }

        return FittedArea.Of(
            information.Fit, (information.ImageHeight, information.ImageWidth),
            (information.InputHeight, information.InputWidth));
    }

    private void AddAll(DetectionNetworks networks, bool includePreprocessing)
    {
        (PatchDescriptionNetwork teacher, PatchDescriptionNetwork student) = (networks.Teacher, networks.Student);
        (int height, int width) = (_information.InputHeight, _information.InputWidth);
        string image = AddInput("image", height, width, includePreprocessing);
        string small = height == Autoencoder.InputSize && width == Autoencoder.InputSize
            ? image
            : AddInput("autoencoder_image", Autoencoder.InputSize, Autoencoder.InputSize, includePreprocessing);

        int mapHeight = PatchDescriptionNetwork.OutputSize(height, _information.Padded);
        int mapWidth = PatchDescriptionNetwork.OutputSize(width, _information.Padded);
        string features = Convolution(teacher.Layers[^1], Hidden(teacher, "teacher", image), "teacher", padding: 0);
        features = _graph.Node("Sub", [features, Channels("teacher_mean", networks.Mean)]);
        features = _graph.Node("Div", [features, Channels("teacher_std", networks.Deviation)]);
        string hidden = Hidden(student, "student", image);
        string predicted = Predict(networks.Autoencoder, small, mapHeight, mapWidth);
        string local = networks.PlaceWeights is { } places
            ? Weigh("local_map", Difference("raw_local_map", features, Half(student, hidden, 0)), places)
            : Difference("local_map", features, Half(student, hidden, 0));
        string global = Difference("global_map", predicted, Half(student, hidden, 1));
        AddResult(local, global, mapHeight, mapWidth);
        _graph.Output("local_map", null, 1, mapHeight, mapWidth);
        _graph.Output("global_map", null, 1, mapHeight, mapWidth);
    }

    private string AddInput(string name, int height, int width, bool includePreprocessing)
    {
        if (!includePreprocessing) return _graph.Input(name, OnnxGraphWriter.Element.Float, null, 3, height, width);
        string x = _graph.Input(name, OnnxGraphWriter.Element.UnsignedByte, null, height, width, 3);
        x = _graph.Node("Cast", [x], ("to", (int)OnnxGraphWriter.Element.Float));
        x = _graph.Node("Transpose", [x], ("perm", new[] { 0, 3, 1, 2 }));
        x = _graph.Node("Div", [x, _graph.Constant($"{name}_white", [1, 1, 1, 1], [255f])]);
        x = _graph.Node("Sub", [x, _graph.Constant($"{name}_mean", [1, 3, 1, 1], Imaging.Preprocessing.Mean)]);
        return _graph.Node("Div", [x, _graph.Constant($"{name}_std", [1, 3, 1, 1], Imaging.Preprocessing.Deviation)]);
    }

    private string Hidden(PatchDescriptionNetwork network, string prefix, string x)
    {
        for (int i = 0; i < network.Layers.Count - 1; i++)
        {
            x = Convolution(network.Layers[i], x, prefix, network.PaddingOf(i));
            if (i >= 2) continue;
            int pad = network.Padded ? 1 : 0;
            x = _graph.Node(
                "AveragePool", [x], ("kernel_shape", new[] { 2, 2 }), ("strides", new[] { 2, 2 }),
                ("pads", new[] { pad, pad, pad, pad }), ("count_include_pad", 1));
        }

        return x;
    }

    private string Half(PatchDescriptionNetwork student, string hidden, int half)
    {
        ConvolutionLayer layer = student.Layers[^1];
        int count = layer.Weights.Value.Shape.N / 2, each = (int)layer.Weights.Value.Shape.SampleCount;
        float[] weights = _backend.Download(layer.Weights.Value)[(half * count * each)..((half + 1) * count * each)];
        float[] bias = _backend.Download(layer.Bias.Value)[(half * count)..((half + 1) * count)];
        return Convolution(
            $"student.{layer.Weights.Name}.{half}", layer.Weights.Value.Shape with { N = count }, weights, bias,
            layer, hidden, padding: 0);
    }

    private string Predict(Autoencoder autoencoder, string x, int mapHeight, int mapWidth)
    {
        int size = Autoencoder.OutputSize(_information.Padded);
        foreach ((int i, ConvolutionLayer layer) in autoencoder.Layers.Index())
        {
            if (Autoencoder.SizeBefore(i, size) is { } extent) x = Resize(x, extent, extent);
            x = Convolution(layer, x, "autoencoder", layer.Geometry.Padding);
        }

        return mapHeight == size && mapWidth == size ? x : Resize(x, mapHeight, mapWidth);
    }

    private string Resize(string x, int height, int width)
    {
        string sizes = _graph.Constant($"size_{x}", [height, width]);
        return _graph.Node(
            "Resize", [x, "", "", sizes], ("axes", new[] { 2, 3 }), ("mode", "linear"),
            ("coordinate_transformation_mode", "half_pixel"));
    }

    /// <summary>Mean over channels of (a - b)^2.</summary>
    private string Difference(string name, string a, string b)
    {
        string difference = _graph.Node("Sub", [a, b]);
        string square = _graph.Node("Mul", [difference, difference]);
        return _graph.Node("ReduceMean", name, [square, _graph.Constant($"{name}_axes", [1])]);
    }

    /// <summary>Means over 3 x 3 places, each times its weight; fewer at the edges.</summary>
    private string Weigh(string name, string map, Tensor places)
    {
        string weights = _graph.Constant(
            "place_weights", [1, 1, places.Shape.H, places.Shape.W], _backend.Download(places));
        return _graph.Node(
            "AveragePool", name, [_graph.Node("Mul", [map, weights])], ("kernel_shape", new[] { 3, 3 }),
            ("pads", new[] { 1, 1, 1, 1 }), ("count_include_pad", 0));
    }

    private void AddResult(string local, string global, int mapHeight, int mapWidth)
    {
        (int height, int width) = (_information.InputHeight, _information.InputWidth);
        Detection.MapScaling scaling = _information.Scaling;
        string scaledLocal = _graph.Node("Mul", [local, Number("local_scale", scaling.LocalScale)]);
        string scaledGlobal = _graph.Node("Mul", [global, Number("global_scale", scaling.GlobalScale)]);
        string sum = _graph.Node("Add", [scaledLocal, scaledGlobal]), offset = Number("offset", scaling.Offset);
        // Where the border of zeros belongs to the combined map, the offset comes before it; else it is everywhere.
        bool offsetFirst = _information.MapOrder != Detection.MapOrder.Anomalib;
        if (offsetFirst) sum = _graph.Node("Add", [sum, offset]);
        float[] rows = MapInterpolation.Matrix(_information.MapOrder, _information.Padded, mapHeight, height);
        float[] columns = MapInterpolation.Matrix(_information.MapOrder, _information.Padded, mapWidth, width);
        FittedArea area = AreaOf(_information);
        rows = rows[(area.Top * mapHeight)..((area.Top + area.Height) * mapHeight)];
        columns = columns[(area.Left * mapWidth)..((area.Left + area.Width) * mapWidth)];
        (height, width) = (area.Height, area.Width);
        string right = _graph.Node(
            "Transpose", [_graph.Constant("columns", [width, mapWidth], columns)], ("perm", new[] { 1, 0 }));
        string resized = _graph.Node("MatMul", [_graph.Constant("rows", [height, mapHeight], rows), sum]);
        resized = offsetFirst
            ? _graph.Node("MatMul", "map", [resized, right])
            : _graph.Node("MatMul", [resized, right]);
        string map = offsetFirst ? resized : _graph.Node("Add", "map", [resized, offset]);
        _graph.Node("ReduceMax", "score", [map, _graph.Constant("score_axes", [1, 2, 3])], ("keepdims", 0));
        _graph.Output("map", null, 1, height, width);
        _graph.Output("score", new int?[] { null });
    }

    private string Convolution(ConvolutionLayer layer, string x, string prefix, int padding) => Convolution(
        $"{prefix}.{layer.Weights.Name}", layer.Weights.Value.Shape, _backend.Download(layer.Weights.Value),
        _backend.Download(layer.Bias.Value), layer, x, padding);

    private string Convolution(
        string name, Shape shape, float[] weights, float[] bias, ConvolutionLayer layer, string x, int padding)
    {
        string kernel = _graph.Constant(name, [shape.N, shape.C, shape.H, shape.W], weights);
        string start = _graph.Constant($"{name}.bias", [shape.N], bias);
        int stride = layer.Geometry.Stride;
        x = _graph.Node(
            "Conv", [x, kernel, start], ("strides", new[] { stride, stride }),
            ("pads", new[] { padding, padding, padding, padding }));
        return layer.Relu ? _graph.Node("Relu", [x]) : x;
    }

    private string Number(string name, float value) => _graph.Constant(name, [1, 1, 1, 1], [value]);

    private string Channels(string name, Tensor vector) =>
        _graph.Constant(name, [1, vector.Shape.C, 1, 1], _backend.Download(vector));
}
