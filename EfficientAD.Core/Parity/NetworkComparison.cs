using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Models.Import;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Parity;

/// <summary>Runs our networks on another implementation's input and compares every layer that it dumped, from input to
/// score, so that one sees where the two part.</summary>
public sealed class NetworkComparison
{
    // A layer of the teacher takes a gigabyte at the largest; a dump of a few megabytes must not ask for more.
    private const int SmallestSide = PatchDescriptionNetwork.ReceptiveField, LargestSide = 1024;
    private const string LocalMap = "local_map", GlobalMap = "global_map", Score = "score";

    private readonly IBackend _backend;
    private readonly LayerDump _dump;
    private readonly string _modelPath;
    private readonly Shape _input;
    private readonly float[] _inputValues;
    private readonly List<LayerDifference> _differences = [];

    /// <param name="modelPath">A model of ours, or any file that <see cref="ModelImporter"/> reads.</param>
    /// <exception cref="ModelFormatException">The dump has no input [1, 3, height, width] of 33 to 1,024 pixels a
    /// side.</exception>
    public NetworkComparison(IBackend backend, string modelPath, LayerDump dump)
    {
        (_backend, _modelPath, _dump) = (backend, modelPath, dump);
        IReadOnlyList<long> shape = dump.Shape(LayerDump.InputName);
        if (shape is not [1, 3, >= SmallestSide and <= LargestSide, >= SmallestSide and <= LargestSide])
        {
            throw new ModelFormatException(
                $"{dump.Name}: '{LayerDump.InputName}' is [{string.Join(", ", shape)}]; " +
                $"[1, 3, height, width] with sides of {SmallestSide} to {LargestSide} is expected.");
        }

        _input = new Shape(1, 3, (int)shape[2], (int)shape[3]);
        _inputValues = dump.Values(LayerDump.InputName);
    }

    /// <summary>Compares our preprocessing of an image with the dump's input.</summary>
    public LayerDifference ComparePreprocessing(ImageView image)
    {
        using Tensor prepared = _backend.Allocate(_input);
        _backend.Preprocess(image, ColourAdjustment.None, _input.H, _input.W, prepared);
        return LayerDifference.Between("preprocessing", _input, _backend.Download(prepared), _inputValues);
    }

    /// <summary>Compares all layers in the order in which they are computed.</summary>
    /// <returns>Layers that the dump has; the networks that the model lacks are left out.</returns>
    /// <exception cref="ModelFormatException">The model is damaged, or dump and model have nothing in
    /// common.</exception>
    public IReadOnlyList<LayerDifference> CompareLayers()
    {
        _differences.Clear();
        using (var sources = new ImportSources([_modelPath]))
        {
            bool isPadded = sources.IsPadded ?? false;
            foreach (FoundNetwork network in sources.Networks.OrderBy(network => network.Role))
            {
                string prefix = $"{NetworkFinder.Describe(network.Role)}.";
                if (_dump.Names.Any(name => name.StartsWith(prefix, StringComparison.Ordinal)))
                    Compare(network, prefix, isPadded);
            }

            if (sources.Weights is [{ IsOurs: true, IsUncalibrated: false }]) CompareMaps();
        }

        return _differences.Count > 0
            ? [.. _differences]
            : throw new ModelFormatException(
                $"{_dump.Name} has no layer of a network that {_modelPath} holds. docs/parity.md lists the names.");
    }

    private void Compare(FoundNetwork found, string prefix, bool isPadded)
    {
        using var tape = new Tape(_backend);
        Tensor input = tape.Allocate(_input);
        _backend.Upload(_inputValues, input);
        Variable image = Variable.Constant(input);
        if (found.Role == NetworkRole.Autoencoder)
        {
            if (_input is not { H: Autoencoder.InputSize, W: Autoencoder.InputSize })
            {
                throw new ModelFormatException(
                    $"{_dump.Name} has layers of the autoencoder but an input of {_input.H} x {_input.W}; ours sees " +
                    $"{Autoencoder.InputSize} x {Autoencoder.InputSize}. Dump it at that size.");
            }

            using var autoencoder = new Autoencoder(_backend, trainable: false);
            found.Load(autoencoder, _backend);
            int size = Autoencoder.OutputSize(isPadded);
            autoencoder.Forward(tape, image, size, observe: (layer, output) => Compare(prefix + layer, output.Value));
            return;
        }

        int channels = found.Role == NetworkRole.Teacher
            ? PatchDescriptionNetwork.TeacherChannels
            : 2 * PatchDescriptionNetwork.TeacherChannels;
        using var network = new PatchDescriptionNetwork(
            _backend, found.Size!.Value, channels, isPadded, trainable: false);
        found.Load(network, _backend);
        network.Forward(tape, image, (layer, output) => Compare(prefix + layer, output.Value));
    }

    /// <summary>The two maps of which the model's order takes quantiles, and the score.</summary>
    private void CompareMaps()
    {
        if (!_dump.Contains(LocalMap) && !_dump.Contains(GlobalMap) && !_dump.Contains(Score)) return;
        using ModelFile model = ModelFile.Open(_modelPath);
        ModelInformation information = model.Information;
        using DetectionNetworks networks = model.Load(_backend);
        using var plan = new DetectionPlan(networks, information.MapOrder, _input.H, _input.W);
        if (_input is not { H: Autoencoder.InputSize, W: Autoencoder.InputSize })
            return;  // the autoencoder would need another input
        plan.ComputeMaps(input => _backend.Upload(_inputValues, input));
        Compare(LocalMap, plan.LocalMap);
        Compare(GlobalMap, plan.GlobalMap);
        if (!_dump.Contains(Score)) return;
        float score = plan.Combine(information.Scaling, _input.H, _input.W, []);
        Compare(Score, new Shape(1, 1, 1, 1), [score]);
    }

    private void Compare(string layer, Tensor output)
    {
        if (_dump.Contains(layer)) Compare(layer, output.Shape, _backend.Download(output));
    }

    private void Compare(string layer, Shape shape, ReadOnlySpan<float> ours)
    {
        IReadOnlyList<long> other = _dump.Shape(layer);
        long[] own = [shape.N, shape.C, shape.H, shape.W];
        // Leading extents of 1 may be missing: [56, 56] for a map.
        bool isSame = other.SkipWhile(extent => extent == 1).SequenceEqual(own.SkipWhile(extent => extent == 1));
        _differences.Add(isSame
            ? LayerDifference.Between(layer, shape, ours, _dump.Values(layer))
            : new LayerDifference(layer, shape, double.PositiveInfinity, double.PositiveInfinity, 0, other));
    }
}
