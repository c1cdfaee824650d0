using System.Globalization;
using EfficientAD.Native;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda;

/// <summary>What computes a convolution.</summary>
internal enum ConvolutionWay
{
    /// <summary>Our own kernel.</summary>
    Kernel,

    /// <summary>cuDNN.</summary>
    Library,
}

/// <summary>A convolution, as far as its time depends on it.</summary>
internal readonly record struct ConvolutionProblem(
    ConvolutionDirection Direction, ConvolutionShape Shape, bool HasBias, bool Relu, CudaPrecision Precision)
{
    public static ConvolutionProblem Of(in ConvolutionCall call, CudaPrecision precision) =>
        new(call.Direction, call.Shape, call.Bias is not null, call.Relu, precision);

    /// <summary>The name under which the choice is remembered.</summary>
    public override string ToString()
    {
        string text = string.Create(CultureInfo.InvariantCulture,
            $"{Direction} {Sizes(Shape.Input)} by {Sizes(Shape.Weights)}, stride {Shape.Geometry.Stride}, " +
            $"padding {Shape.Geometry.Padding}, {Precision}");
        return text + (HasBias ? ", bias" : "") + (Relu ? ", relu" : "");
    }

    private static string Sizes(Shape shape) =>
        string.Create(CultureInfo.InvariantCulture, $"{shape.N}x{shape.C}x{shape.H}x{shape.W}");
}

/// <summary>Picks what computes a convolution fastest, by trying once, and remembers it.</summary>
/// <remarks>Which way wins is a matter of timing and may differ from one tuning to the next, and with it the last bits
/// of a result; where a choice is remembered, the bits repeat.</remarks>
/// <param name="time">Milliseconds that work takes once it is warm.</param>
internal sealed class ConvolutionTuner(TuningCache cache, Func<Action, double> time)
{
    private readonly Dictionary<ConvolutionProblem, ConvolutionWay> _choices = [];

    /// <summary>The remembered choice; null where there is none yet.</summary>
    public ConvolutionWay? Find(in ConvolutionProblem problem)
    {
        if (_choices.TryGetValue(problem, out ConvolutionWay known)) return known;
        if (cache.Find(problem.ToString()) is not { } name || !Enum.TryParse(name, out ConvolutionWay way)) return null;
        return _choices[problem] = way;
    }

    /// <summary>Tries both ways on memory that may be overwritten, and remembers the faster. A library that fails
    /// loses, unless it took the context with it.</summary>
    public ConvolutionWay Measure(in ConvolutionProblem problem, Action kernel, Action library)
    {
        double kernelTime = time(kernel);
        double libraryTime;
        try
        {
            libraryTime = time(library);
        }
        catch (CudaException e) when (!e.IsContextLost)
        {
            libraryTime = double.PositiveInfinity;
        }
        ConvolutionWay way = libraryTime < kernelTime ? ConvolutionWay.Library : ConvolutionWay.Kernel;
        cache.Add(problem.ToString(), way.ToString());
        return _choices[problem] = way;
    }
}
