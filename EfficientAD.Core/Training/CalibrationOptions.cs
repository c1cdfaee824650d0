using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cuda;
using EfficientAD.Detection;

namespace EfficientAD.Training;

/// <summary>Which of a data set's good images serve for what.</summary>
public enum CalibrationSplit
{
    /// <summary>As nelson1425/EfficientAD split them when it trained: nine tenths give the teacher statistics, the
    /// tenth that the student never saw gives map quantiles and threshold. The same images, hence the same
    /// numbers.</summary>
    Reference,

    /// <summary>All good images give all of it; where the layout has validation images, these give map quantiles and
    /// threshold. For images that the networks were not trained on: on others a student is too good.</summary>
    All,

    /// <summary>As the training of a model of ours split them: the images that it set aside give map quantiles and
    /// threshold.</summary>
    Training,
}

/// <summary>How <see cref="ModelCalibrator"/> works.</summary>
public sealed record CalibrationOptions
{
    /// <summary>A model, or an <see cref="Models.UncalibratedModel"/>.</summary>
    public required string ModelPath { get; init; }

    /// <summary>Where the model is written; may be the same file.</summary>
    public required string OutputPath { get; init; }

    /// <summary>Null means Reference for networks of the reference without teacher statistics, Training for a model of
    /// ours and the very images that it was trained on, else All.</summary>
    public CalibrationSplit? Split { get; init; }

    /// <summary>Share of good images that the threshold is meant to let fail, in (0, 0.5].</summary>
    public float FalsePositiveRate { get; init; } = Calibration.DefaultFalsePositiveRate;

    /// <summary>Whether the weights of the local map's places are found on the images, too
    /// (<see cref="Recipe.WeighsPlaces"/>); else they stay as they are in the file, or are missing there.</summary>
    public bool WeighsPlaces { get; init; }

    /// <summary>Whether up to 64 of the images that give the threshold are computed in numbers of 8 bits, too, a second
    /// or two each: only then a detector may compute the model so. Padded networks are not.</summary>
    public bool EightBits { get; init; }

    /// <summary>The processor that computes.</summary>
    public Device Device { get; init; }

    /// <summary>Used where the CPU computes.</summary>
    public CpuOptions Cpu { get; init; } = new();

    /// <summary>Used where a CUDA device computes.</summary>
    public CudaOptions Cuda { get; init; } = new();
}
