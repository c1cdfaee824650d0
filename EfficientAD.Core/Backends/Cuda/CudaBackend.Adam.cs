using EfficientAD.Backends.Cuda.Training;
using EfficientAD.Native;
using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cuda;

public sealed partial class CudaBackend
{
    private AdamTable? _adamTable;

    /// <summary>Where kernels find what changes from step to step, while a step of training is given or captured; else
    /// 0.</summary>
    internal nint StepValues { get; set; }

    public void Adam(
        Tensor gradient, AdamSettings settings, int step, Tensor firstMoment, Tensor secondMoment, Tensor parameter)
    {
        RequireAdam(gradient, step, firstMoment, secondMoment, parameter);
        var c = new AdamCoefficients(settings, step);
        Launch(
            "adam", "adam", Threads(parameter.Shape.Count), gradient.Address,
            c.WeightDecay, c.Beta1, c.Rest1, c.Beta2, c.Rest2, c.Correction2, c.StepSize, AdamSettings.Epsilon,
            firstMoment.Address, secondMoment.Address, parameter.Address, parameter.Shape.Count);
        MarkWritten(parameter);
    }

    public void Adam(IReadOnlyList<AdamTensors> parameters, AdamSettings settings, int step)
    {
        foreach (AdamTensors tensors in parameters)
            RequireAdam(tensors.Gradient, step, tensors.FirstMoment, tensors.SecondMoment, tensors.Parameter);
        if (_adamTable is null || _adamTable.Parameters != parameters)
        {
            _adamTable?.Dispose();
            _adamTable = new AdamTable(_stream, parameters);
        }

        var c = new AdamCoefficients(settings, step);
        Launch(
            "adam", "adam_all", new LaunchShape(new Extent(_adamTable.Chunks), new Extent(AdamTable.Threads)),
            _adamTable.TensorsAddress, _adamTable.ChunksAddress, c.WeightDecay, c.Beta1, c.Rest1, c.Beta2, c.Rest2,
            AdamSettings.Epsilon, c.Correction2, c.StepSize, StepValues);
        foreach (AdamTensors tensors in parameters) MarkWritten(tensors.Parameter);
    }
}
