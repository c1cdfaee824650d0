using System.Runtime.InteropServices;

namespace EfficientAD.Native.Dnn;

/// <summary>cudnnStatus_t; names come from the library.</summary>
internal enum DnnStatus
{
    Success = 0,

    /// <summary>3000 to 3999: asked for what this card, shape or version does not have.</summary>
    NotSupported = 3000,
}

/// <summary>cudnnDataType_t.</summary>
internal enum DnnDataType
{
    Float32 = 0,
    Float16 = 2,
}

/// <summary>cudnnTensorFormat_t.</summary>
internal enum DnnFormat
{
    Nchw = 0,
    Nhwc = 1,
}

/// <summary>cudnnMathType_t.</summary>
internal enum DnnMath
{
    /// <summary>float32 may be multiplied as TF32.</summary>
    Default = 0,
    TensorCores = 1,

    /// <summary>No tensor cores.</summary>
    FusedMultiplyAdd = 3,
}

/// <summary>cudnnConvolutionMode_t.</summary>
internal enum DnnConvolutionMode
{
    CrossCorrelation = 1,
}

/// <summary>cudnnActivationMode_t.</summary>
internal enum DnnActivation
{
    Relu = 1,
}

/// <summary>cudnnNanPropagation_t.</summary>
internal enum DnnNan
{
    Propagate = 1,
}

/// <summary>cudnnConvolution{Fwd,BwdData,BwdFilter}AlgoPerf_t; the three are alike.</summary>
[StructLayout(LayoutKind.Explicit, Size = 48)]
internal struct DnnAlgorithm
{
    [FieldOffset(0)]
    public int Number;

    [FieldOffset(4)]
    public DnnStatus Status;

    [FieldOffset(16)]
    public nuint WorkspaceBytes;

    /// <summary>1 where a second run gives the same bits.</summary>
    [FieldOffset(24)]
    public int Determinism;

    [FieldOffset(28)]
    public DnnMath Math;
}
