using EfficientAD.Backends;
using EfficientAD.Tensors;

namespace EfficientAD.Networks;

/// <summary>The three networks that detect together, and the teacher's statistics: what a model is made of.</summary>
public sealed class DetectionNetworks : IDisposable
{
    private readonly bool _ownsTeacher;

    /// <summary>Networks whose weights are to be loaded or initialised.</summary>
    /// <param name="padded">Whether the patch description networks are padded.</param>
    /// <param name="trainable">Whether student and autoencoder get gradients; the teacher never does.</param>
    public DetectionNetworks(IBackend backend, PdnSize size, bool padded, bool trainable)
        : this(
            backend,
            new PatchDescriptionNetwork(
                backend, size, PatchDescriptionNetwork.TeacherChannels, padded, trainable: false),
            trainable)
    {
    }

    /// <summary>A teacher and what is to learn from it.</summary>
    /// <param name="trainable">Whether student and autoencoder get gradients.</param>
    /// <param name="ownsTeacher">Whether the teacher belongs to this object from now on.</param>
    public DetectionNetworks(IBackend backend, PatchDescriptionNetwork teacher, bool trainable, bool ownsTeacher = true)
    {
        (Backend, Teacher, _ownsTeacher) = (backend, teacher, ownsTeacher);
        Student = new PatchDescriptionNetwork(backend, teacher.Size, 2 * teacher.Outputs, teacher.Padded, trainable);
        Autoencoder = new Autoencoder(backend, trainable);
        Mean = backend.Allocate(Shape.Vector(teacher.Outputs));
        Deviation = backend.Allocate(Mean.Shape);
    }

    /// <summary>Holds all weights, and is not disposed with them.</summary>
    public IBackend Backend { get; }

    /// <summary>384 outputs; frozen.</summary>
    public PatchDescriptionNetwork Teacher { get; }

    /// <summary>768 outputs: the first half imitates the teacher, the second the autoencoder.</summary>
    public PatchDescriptionNetwork Student { get; }

    public Autoencoder Autoencoder { get; }

    /// <summary>Of each of the teacher's channels over the training images, [1, 384, 1, 1].</summary>
    public Tensor Mean { get; }

    /// <summary>Standard deviation of the same, [1, 384, 1, 1].</summary>
    public Tensor Deviation { get; }

    /// <summary>What the local map is multiplied by, place by place, before it is smoothed over 3 x 3 places: [1, 1, h,
    /// w] of the map. Null where it stays as it is, as published.</summary>
    public Tensor? PlaceWeights { get; private set; }

    /// <summary>Makes <see cref="PlaceWeights"/>, all 1, if there are none.</summary>
    /// <param name="height">Of the networks' input in pixels.</param>
    /// <param name="width">Of the networks' input in pixels.</param>
    public Tensor AddPlaceWeights(int height, int width)
    {
        if (PlaceWeights is not null) return PlaceWeights;
        PlaceWeights = Backend.Allocate(new Shape(
            1, 1, PatchDescriptionNetwork.OutputSize(height, Teacher.Padded),
            PatchDescriptionNetwork.OutputSize(width, Teacher.Padded)));
        Backend.Fill(1, PlaceWeights);
        return PlaceWeights;
    }

    /// <summary>Takes over the weights and statistics of networks of the same kind on the same backend; place weights,
    /// which belong to a finished student, are not copied.</summary>
    public void CopyFrom(DetectionNetworks source)
    {
        Teacher.CopyFrom(source.Teacher);
        Student.CopyFrom(source.Student);
        Autoencoder.CopyFrom(source.Autoencoder);
        Backend.Copy(source.Mean, Mean);
        Backend.Copy(source.Deviation, Deviation);
    }

    public void Dispose()
    {
        if (_ownsTeacher) Teacher.Dispose();
        foreach (IDisposable part in new IDisposable[] { Student, Autoencoder, Mean, Deviation }) part.Dispose();
        PlaceWeights?.Dispose();
    }
}
