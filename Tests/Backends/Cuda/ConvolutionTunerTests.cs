using EfficientAD.Backends;
using EfficientAD.Backends.Cuda;
using EfficientAD.Native;
using EfficientAD.Tensors;
using EfficientAD.Tests.Imaging;

namespace EfficientAD.Tests.Backends.Cuda;

/// <summary>Choosing by given times, and remembering; no device.</summary>
public class ConvolutionTunerTests
{
    private static readonly ConvolutionProblem Problem = new(
        ConvolutionDirection.Forward,
        new ConvolutionShape(new Shape(1, 3, 256, 256), new Shape(128, 3, 4, 4), new Convolution2dGeometry(1, 0)),
        HasBias: true, Relu: true, CudaPrecision.Full);

    [Theory]
    [InlineData(1.0, 2.0, ConvolutionWay.Kernel)]
    [InlineData(2.0, 1.0, ConvolutionWay.Library)]
    [InlineData(1.0, 1.0, ConvolutionWay.Kernel)]
    internal void FasterWay_IsChosenAndRemembered(double kernel, double library, ConvolutionWay expected)
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "missing", "choices.json");
        var tuner = new ConvolutionTuner(new TuningCache(path, "card"), Times(kernel, library));
        Assert.Null(tuner.Find(Problem));
        Assert.Equal(expected, tuner.Measure(Problem, Nothing, Nothing));
        Assert.Equal(expected, tuner.Find(Problem));

        var next = new ConvolutionTuner(new TuningCache(path, "card"), Never);
        Assert.Equal(expected, next.Find(Problem));
        Assert.Null(next.Find(Problem with { Relu = false }));
        Assert.Null(next.Find(Problem with { Precision = CudaPrecision.Tf32 }));
        Assert.Null(new ConvolutionTuner(new TuningCache(path, "another card"), Never).Find(Problem));
    }

    [Fact]
    public void FailingLibrary_Loses()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "choices.json");
        var tuner = new ConvolutionTuner(new TuningCache(path, "card"), Run);
        Assert.Equal(ConvolutionWay.Kernel, tuner.Measure(Problem, Nothing, () => throw new CudaException("no way")));
        Assert.Equal(ConvolutionWay.Kernel, new ConvolutionTuner(new TuningCache(path, "card"), Never).Find(Problem));

        static double Run(Action work)
        {
            work();
            return 1;
        }
    }

    [Fact]
    public void FailureOfOurKernel_IsNotHidden()
    {
        using var folder = new TemporaryFolder();
        var tuner = new ConvolutionTuner(new TuningCache(Path.Combine(folder.Path, "choices.json"), "card"), Run);
        Assert.Throws<CudaException>(() => tuner.Measure(Problem, () => throw new CudaException("lost"), Nothing));
        Assert.Null(tuner.Find(Problem));

        static double Run(Action work)
        {
            work();
            return 1;
        }
    }

    [Fact]
    public void EnvironmentsAndProcesses_KeepEachOthersChoices()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "choices.json");
        var first = new TuningCache(path, "card");
        var second = new TuningCache(path, "card");
        var other = new TuningCache(path, "another card");
        first.Add("a", "Kernel");
        second.Add("b", "Library");
        other.Add("a", "Library");
        var read = new TuningCache(path, "card");
        Assert.Equal(("Kernel", "Library"), (read.Find("a"), read.Find("b")));
        Assert.Equal("Library", new TuningCache(path, "another card").Find("a"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"card\": 3}")]
    [InlineData("{\"card\": {\"a\": {}}}")]
    [InlineData("{\"card\": {\"a\": \"Kernel\", \"a\": \"Library\"}}")]
    public void UnreadableFile_StartsAnew(string text)
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "choices.json");
        File.WriteAllText(path, text);
        var cache = new TuningCache(path, "card");
        Assert.Null(cache.Find("a"));
        cache.Add("a", "Library");
        Assert.Equal("Library", new TuningCache(path, "card").Find("a"));
    }

    [Fact]
    public void UnknownChoice_IsMeasuredAgain()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "choices.json");
        new TuningCache(path, "card").Add(Problem.ToString(), "Abacus");
        Assert.Null(new ConvolutionTuner(new TuningCache(path, "card"), Never).Find(Problem));
    }

    [Fact]
    public void FileThatCannotBeWritten_IsLeftAlone()
    {
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "a file");
        File.WriteAllText(file, "");
        var cache = new TuningCache(Path.Combine(file, "choices.json"), "card");
        cache.Add("a", "Library");
        Assert.Equal("Library", cache.Find("a"));
    }

    [Fact]
    public void Name_TellsProblemsApart() => Assert.Equal(
        "Forward 1x3x256x256 by 128x3x4x4, stride 1, padding 0, Full, bias, relu", Problem.ToString());

    private static Func<Action, double> Times(params double[] times)
    {
        var left = new Queue<double>(times);
        return _ => left.Dequeue();
    }

    private static double Never(Action work) => throw new InvalidOperationException("Nothing is to be measured.");

    private static void Nothing()
    {
    }
}
