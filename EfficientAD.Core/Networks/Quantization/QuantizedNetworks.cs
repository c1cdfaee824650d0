using EfficientAD.Backends;
using EfficientAD.Networks.Folding;

namespace EfficientAD.Networks.Quantization;

/// <summary>Teacher and student in numbers of 8 bits: their hidden maps, and all layers that read one. The first layer
/// reads the image as ever.</summary>
internal sealed class QuantizedNetworks
{
    private readonly LayerWeights[] _teacher, _student;
    private readonly HiddenActivations _activations;

    /// <param name="networks">Without padding.</param>
    public QuantizedNetworks(DetectionNetworks networks, HiddenActivations activations, EightBits format)
    {
        IBackend backend = networks.Backend;
        (_activations, Format) = (activations, format);
        _teacher = [.. networks.Teacher.Layers.Select(layer => LayerWeights.Of(backend, layer))];
        _student = [.. networks.Student.Layers.Select(layer => LayerWeights.Of(backend, layer))];
        _teacher[^1] = _teacher[^1].Normalized(backend.Download(networks.Mean), backend.Download(networks.Deviation));
        for (int i = 0; i < _teacher.Length - 1; i++)
        {
            int teacher = activations.Teacher[i].Means.Length, student = activations.Student[i].Means.Length;
            if (teacher == _teacher[i].Shape.N && student == _student[i].Shape.N) continue;
            throw new ArgumentException(
                $"Activations of {teacher} and {student} channels do not belong to layers {_teacher[i].Shape} and " +
                $"{_student[i].Shape}.");
        }
    }

    public EightBits Format { get; }

    /// <summary>Layers of each network.</summary>
    public int Layers => _teacher.Length;

    /// <summary>What 1 of a number is worth in each channel of the teacher's map behind a hidden layer.</summary>
    public float[] TeacherSteps(int layer) => _activations.Teacher[layer].Steps(Format);

    /// <summary>In the student's.</summary>
    public float[] StudentSteps(int layer) => _activations.Student[layer].Steps(Format);

    /// <summary>One of the teacher's hidden layers but the first.</summary>
    public QuantizedLayer Teacher(int layer) => QuantizedLayer.Of(_teacher[layer], Format, TeacherMap(layer - 1));

    /// <summary>One of the student's.</summary>
    public QuantizedLayer Student(int layer) => QuantizedLayer.Of(_student[layer], Format, StudentMap(layer - 1));

    /// <summary>The normalised teacher less the student's first half, from both last hidden maps.</summary>
    public QuantizedLayer Local => QuantizedLayer.Of(
        _teacher[^1].Minus(_student[^1].Rows(0, PatchDescriptionNetwork.TeacherChannels)), Format,
        [.. TeacherMap(Layers - 2), .. StudentMap(Layers - 2)]);

    /// <summary>The student's second half, from its last hidden map.</summary>
    public QuantizedLayer StudentHalf => QuantizedLayer.Of(
        _student[^1].Rows(PatchDescriptionNetwork.TeacherChannels, PatchDescriptionNetwork.TeacherChannels), Format,
        StudentMap(Layers - 2));

    private (float Mean, float Step)[] TeacherMap(int layer) =>
        [.. _activations.Teacher[layer].Means.Zip(TeacherSteps(layer))];

    private (float Mean, float Step)[] StudentMap(int layer) =>
        [.. _activations.Student[layer].Means.Zip(StudentSteps(layer))];
}
