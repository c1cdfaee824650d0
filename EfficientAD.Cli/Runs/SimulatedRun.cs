using EfficientAD.Backends.Cuda;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Native.Driver;
using EfficientAD.Networks;
using EfficientAD.Tensors;
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
    private readonly PatchDescriptionNetwork _teacher, _student;
    private readonly Autoencoder _autoencoder;
    private readonly Tensor _mean, _deviation;
    private MapScaling _scaling = new(0, 1, 0, 1);

    /// <param name="trainable">Whether student and autoencoder can take training steps.</param>
    /// <param name="height">Of the networks' input in pixels.</param>
    /// <param name="width">Of the networks' input in pixels.</param>
    private SimulatedRun(
        PdnSize size, Recipe recipe, int height, int width, bool trainable, CudaPrecision precision,
        SimulatedDeviceOptions options)
    {
        (Height, Width, _recipe) = (height, width, recipe);
        _device = SimulatedDriver.AddDevice(options);
        _backend = new CudaBackend(
            new CudaDriver(SimulatedDriver.Export, "the simulator"), _device, new CudaOptions { Precision = precision });
        const int channels = PatchDescriptionNetwork.TeacherChannels;
        _teacher = new PatchDescriptionNetwork(_backend, size, channels, recipe.Padded, trainable: false);
        _student = new PatchDescriptionNetwork(_backend, size, 2 * channels, recipe.Padded, trainable);
        _autoencoder = new Autoencoder(_backend, trainable);
        (_mean, _deviation) = (_backend.Allocate(Shape.Vector(channels)), _backend.Allocate(Shape.Vector(channels)));
    }

    public int Height { get; }

    public int Width { get; }

    /// <param name="side">Of the networks' input in pixels.</param>
    public static SimulatedRun WithRandomWeights(
        PdnSize size, int side, bool trainable, CudaPrecision precision, SimulatedDeviceOptions options)
    {
        var run = new SimulatedRun(size, Recipe.Reference, side, side, trainable, precision, options);
        var draws = new StepDraws(Seed);
        run._teacher.Initialize(new StepDraws(Seed + 1).StudentWeights);
        run._student.Initialize(draws.StudentWeights);
        run._autoencoder.Initialize(draws.AutoencoderWeights);
        run._backend.Fill(1, run._deviation);
        return run;
    }

    /// <exception cref="ModelFormatException">The file is no model, or is damaged.</exception>
    public static SimulatedRun OfModel(
        ModelFile model, bool trainable, CudaPrecision precision, SimulatedDeviceOptions options)
    {
        ModelInformation information = model.Information;
        Recipe recipe = Recipe.Reference with { Padded = information.Padded, MapOrder = information.MapOrder };
        var run = new SimulatedRun(
            information.Size, recipe, information.InputHeight, information.InputWidth, trainable, precision, options);
        model.Load(run._backend, run._teacher, run._student, run._autoencoder, run._mean, run._deviation);
        run._scaling = information.Scaling;
        return run;
    }

    /// <summary>Detects in a rendered image of the input's size.</summary>
    public IReadOnlyList<LaunchSummary> Detect()
    {
        using var plan = new DetectionPlan(
            _backend, _teacher, _student, _autoencoder, _mean, _deviation, _recipe.MapOrder, Height, Width);
        RgbImage image = Rendered(0);
        SimulatedDriver.ClearLaunches(_device);
        plan.ComputeMaps(image.View);
        plan.Combine(_scaling, image.Height, image.Width, new float[image.Height * image.Width]);
        return SimulatedDriver.Launches(_device);
    }

    /// <summary>Takes the first training step, on rendered images; the teacher sees the plain image, which later epochs
    /// keep.</summary>
    public IReadOnlyList<LaunchSummary> Train()
    {
        using var step = new TrainingStep(
            _backend, _recipe, new StepDraws(Seed), _teacher, _student, _autoencoder, _mean, _deviation, Height, Width);
        var images = new ImageSet(1, Rendered, long.MaxValue);
        var penalty = new ImageSet(1, i => Rendered(i + 1), long.MaxValue) { AtInputScale = true };
        SimulatedDriver.ClearLaunches(_device);
        step.Run(0, _recipe.LearningRate, images, penalty, new FeatureCache(1, budget: 0));
        return SimulatedDriver.Launches(_device);
    }

    public void Dispose()
    {
        foreach (IDisposable part in new IDisposable[] { _teacher, _student, _autoencoder, _mean, _deviation, _backend })
            part.Dispose();
    }

    private RgbImage Rendered(int index) => NaturalTexture.Render(Seed, index, Math.Max(Height, Width));
}
