using EfficientAD.Backends;
using EfficientAD.Backends.Cuda;
using EfficientAD.Backends.Cuda.Fused;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Native.Driver;
using EfficientAD.Networks;
using EfficientAD.Training;
using PtxSimulator;
using PtxSimulator.Driver;
using PtxSimulator.Reports;

namespace EfficientAD.Cli.Runs;

/// <summary>The three networks on a simulated card, to count what their kernels do. Weights are the model's, or random:
/// they hardly change the counts.</summary>
internal sealed class SimulatedRun : IDisposable
{
    private const ulong Seed = 1;

    private readonly int _device;
    private readonly Recipe _recipe;
    private readonly CudaBackend _backend;
    private readonly DetectionNetworks _networks;
    private MapScaling _scaling = new(0, 1, 0, 1);

    /// <param name="height">Of the networks' input in pixels.</param>
    /// <param name="width">Of the networks' input in pixels.</param>
    private SimulatedRun(
        Recipe recipe, int height, int width, CudaPrecision precision, SimulatedDeviceOptions options,
        Func<IBackend, DetectionNetworks> makeNetworks)
    {
        (Height, Width, _recipe) = (height, width, recipe);
        _device = SimulatedDriver.AddDevice(options);
        _backend = new CudaBackend(
            new CudaDriver(SimulatedDriver.Export, "the simulator"), _device,
            new CudaOptions { Precision = precision });
        _networks = makeNetworks(_backend);
    }

    public int Height { get; }

    public int Width { get; }

    /// <param name="side">Of the networks' input in pixels.</param>
    /// <param name="trainable">Whether student and autoencoder can take training steps.</param>
    public static SimulatedRun WithRandomWeights(
        PdnSize size, int side, bool trainable, CudaPrecision precision, SimulatedDeviceOptions options) =>
        new(Recipe.Reference, side, side, precision, options, backend =>
        {
            var networks = new DetectionNetworks(backend, size, Recipe.Reference.Padded, trainable);
            var draws = new StepDraws(Seed);
            networks.Teacher.Initialize(new StepDraws(Seed + 1).StudentWeights);
            networks.Student.Initialize(draws.StudentWeights);
            networks.Autoencoder.Initialize(draws.AutoencoderWeights);
            backend.Fill(1, networks.Deviation);
            return networks;
        });

    /// <param name="trainable">Whether student and autoencoder can take training steps.</param>
    /// <exception cref="ModelFormatException">The file is no model, or is damaged.</exception>
    public static SimulatedRun OfModel(
        ModelFile model, bool trainable, CudaPrecision precision, SimulatedDeviceOptions options)
    {
        ModelInformation information = model.Information;
        Recipe recipe = Recipe.Reference with { Padded = information.Padded, MapOrder = information.MapOrder };
        return new SimulatedRun(
            recipe, information.InputHeight, information.InputWidth, precision, options,
            backend => model.Load(backend, trainable))
        {
            _scaling = information.Scaling,
        };
    }

    /// <summary>Detects in a rendered image of the input's size.</summary>
    public IReadOnlyList<LaunchSummary> Detect()
    {
        using var plan = new DetectionPlan(_networks, _recipe.MapOrder, Height, Width);
        RgbImage image = Rendered(0);
        SimulatedDriver.ClearLaunches(_device);
        plan.ComputeMaps(image.View);
        plan.Combine(_scaling, image.Height, image.Width, new float[image.Height * image.Width]);
        return SimulatedDriver.Launches(_device);
    }

    /// <summary>Detects in a rendered image of the input's size by the fused plan.</summary>
    /// <param name="branches">How the launches are spread over the plan's branches.</param>
    public IReadOnlyList<LaunchSummary> DetectFused(FusionOptions options, out BranchLaunches branches)
    {
        using var plan = new FusedDetection(
            _backend, _networks, _recipe.MapOrder, Height, Width, samples: 1, options);
        RgbImage image = Rendered(0);
        SimulatedDriver.ClearLaunches(_device);
        plan.Compute(image.View);
        plan.Finish(0, _scaling, image.Height, image.Width, []);
        branches = plan.BranchLaunches;
        return SimulatedDriver.Launches(_device);
    }

    /// <summary>Takes the first training step, on rendered images; the teacher sees the plain image, which later epochs
    /// keep.</summary>
    public IReadOnlyList<LaunchSummary> Train()
    {
        using var step = new TrainingStep(_networks, _recipe, new StepDraws(Seed), Height, Width);
        var images = new ImageSet(1, Rendered, long.MaxValue);
        var penalty = new ImageSet(1, i => Rendered(i + 1), long.MaxValue) { AtInputScale = true };
        SimulatedDriver.ClearLaunches(_device);
        step.Run(0, _recipe.LearningRate, images, penalty, new FeatureCache(1, budget: 0));
        return SimulatedDriver.Launches(_device);
    }

    public void Dispose()
    {
        _networks.Dispose();
        _backend.Dispose();
    }

    private RgbImage Rendered(int index) => NaturalTexture.Render(Seed, index, Math.Max(Height, Width));
}
