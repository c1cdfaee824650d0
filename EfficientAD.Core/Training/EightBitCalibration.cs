using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Networks.Quantization;

namespace EfficientAD.Training;

/// <summary>What a model must say for detection in numbers of 8 bits: what hidden maps hold over good images, and how
/// far such detection then is from float32. On the CPU, whatever trained or calibrates.</summary>
internal static class EightBitCalibration
{
    /// <param name="networks">Frozen, on any backend.</param>
    /// <param name="model">All else that the model says.</param>
    /// <param name="images">Good ones.</param>
    /// <returns>Null for padded networks, which a device computes layer by layer.</returns>
    public static EightBitFindings? Run(
        DetectionNetworks networks, ModelInformation model, ImageSet images, CpuOptions options,
        CancellationToken cancellation = default)
    {
        if (model.Padded) return null;
        using var backend = new CpuBackend(options);
        using DetectionNetworks onCpu = CopyTo(backend, networks, model);
        using var meter = new ActivationMeter(onCpu, model.InputHeight, model.InputWidth);
        var input = new NetworkInput(backend, model.Fit, model.InputHeight, model.InputWidth);
        for (int i = 0; i < images.Count; i++)
        {
            Compute(images[i]);
            meter.Add();
        }

        HiddenActivations activations = meter.Result();
        PrecisionComparison[] comparisons =
            [.. EightBits.All.Select(format => new PrecisionComparison(onCpu, model, activations, format))];
        try
        {
            for (int i = 0; i < images.Count; i++)
            {
                RgbImage image = images[i];
                Compute(image);
                foreach (PrecisionComparison comparison in comparisons) comparison.Add(image.View, meter);
            }

            PrecisionReport[] reports = [.. comparisons.Select(comparison => comparison.Result())];
            return new EightBitFindings(
                activations, model with { Int8 = ParityOf(EightBits.Int8), Fp8 = ParityOf(EightBits.Fp8) }, reports);

            PrecisionParity ParityOf(EightBits format) =>
                reports.Single(report => report.Precision == format.Name).Parity;
        }
        finally
        {
            foreach (PrecisionComparison comparison in comparisons) comparison.Dispose();
        }

        void Compute(RgbImage image)
        {
            cancellation.ThrowIfCancellationRequested();
            input.Write(image.View, ColourAdjustment.None, meter.Image);
            meter.Compute();
        }
    }

    private static DetectionNetworks CopyTo(CpuBackend backend, DetectionNetworks source, ModelInformation model)
    {
        var copy = new DetectionNetworks(backend, model.Size, model.Padded, trainable: false);
        foreach ((Network from, Network to) in new (Network, Network)[]
            { (source.Teacher, copy.Teacher), (source.Student, copy.Student), (source.Autoencoder, copy.Autoencoder) })
        {
            foreach ((Parameter theirs, Parameter ours) in from.Parameters.Zip(to.Parameters))
                backend.Upload(source.Backend.Download(theirs.Value), ours.Value);
        }

        backend.Upload(source.Backend.Download(source.Mean), copy.Mean);
        backend.Upload(source.Backend.Download(source.Deviation), copy.Deviation);
        return copy;
    }
}

/// <param name="Information">Of the model, with the parities.</param>
/// <param name="Reports">One for each format.</param>
internal sealed record EightBitFindings(
    HiddenActivations Activations, ModelInformation Information, IReadOnlyList<PrecisionReport> Reports);
