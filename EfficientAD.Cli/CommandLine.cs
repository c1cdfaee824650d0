using EfficientAD.Cli.Commands;
using EfficientAD.Cli.Output;
using Spectre.Console.Cli;

namespace EfficientAD.Cli;

/// <summary>The commands of <c>efficientad</c>.</summary>
internal static class CommandLine
{
    public static IReadOnlyList<string> Commands { get; } =
    [
        "demo", "train", "evaluate", "predict", "distill", "import", "calibrate", "compare",
        "inspect", "bench", "export", "info", "devices", "kernels", "ablate",
    ];

    /// <returns>The process's exit code: see <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(
        IReadOnlyList<string> arguments, CommandOutput output, CancellationToken cancellation = default)
    {
        var app = new CommandApp();
        app.Configure(configuration =>
        {
            configuration.SetApplicationName("efficientad");
            configuration.SetApplicationVersion(ThisVersion.Text);
            configuration.UseStrictParsing();
            configuration.ConfigureConsole(output.Console);
            configuration.SetHelpProvider(new Help(configuration.Settings));
            configuration.Settings.Registrar.RegisterInstance(output);
            configuration.SetExceptionHandler((error, _) =>
                Failure.Report(
                    error, arguments, output, isVerbose: arguments.Contains(VerbositySettings.VerboseOption)));
            AddCommands(configuration);
        });
        return await app.RunAsync(arguments, cancellation);
    }

    private static void AddCommands(IConfigurator configuration)
    {
        configuration.AddCommand<DemoCommand>("demo")
            .WithDescription("Render a data set, train on it, evaluate, and write a report: all in a few minutes.")
            .WithExample("demo")
            .WithExample("demo", "--out", "demo-2", "--minutes", "10", "--seed", "2");
        configuration.AddCommand<TrainCommand>("train")
            .WithDescription("Train a model on good images: MVTec AD, MVTec LOCO AD, VisA or a plain folder.")
            .WithExample("train", "--data", "mvtec/bottle", "--out", "bottle.safetensors")
            .WithExample("train", "--data", "good", "--out", "m.safetensors", "--recipe", "quick", "--minutes", "20")
            .WithExample("train", "--data", "mvtec/bottle", "--out", "bottle.safetensors", "--resume");
        configuration.AddCommand<EvaluateCommand>("evaluate")
            .WithDescription("Measure a model on a labelled test set; writes metrics, scores, maps and a report.")
            .WithExample("evaluate", "--model", "bottle.safetensors", "--data", "mvtec/bottle", "--out", "report")
            .WithExample("evaluate", "--model", "m.safetensors", "--data", "mvtec/bottle", "--out", "r", "--json");
        configuration.AddCommand<PredictCommand>("predict")
            .WithDescription("Judge images: score, verdict, and where the anomaly lies.")
            .WithExample("predict", "--model", "bottle.safetensors", "part.png", "--out", "overlays")
            .WithExample("predict", "--model", "bottle.safetensors", "incoming", "--json")
            .WithExample("predict", "--model", "bottle.safetensors", "shift-*/*.png", "--threshold", "0.8");
        configuration.AddCommand<DistillCommand>("distill")
            .WithDescription("Train a teacher on natural images, from any classification network in ONNX.")
            .WithExample("distill", "--backbone", "resnet50.onnx", "--images", "imagenet", "--minutes", "60")
            .WithExample("distill", "--backbone", "r.onnx", "--images", "imagenet", "--stages", "a,b", "--size", "M")
            .WithExample("distill", "--backbone", "resnet50.onnx", "--images", "imagenet", "--resume");
        configuration.AddCommand<ImportCommand>("import")
            .WithDescription(
                "Make a model or a teacher of what PyTorch or anomalib saved; nothing in the files is run.")
            .WithExample("import", "teacher_small.pth", "--out", "teacher.safetensors")
            .WithExample("import", "model.ckpt", "--out", "bottle.safetensors")
            .WithExample("import", "teacher.pth", "student.pth", "autoencoder.pth", "--out", "networks.safetensors");
        configuration.AddCommand<CalibrateCommand>("calibrate")
            .WithDescription(
                "Find map scale and threshold of a model on good images, and teacher statistics if they are missing.")
            .WithExample(
                "calibrate", "--model", "networks.safetensors", "--data", "mvtec/bottle", "--out", "m.safetensors");
        configuration.AddCommand<CompareCommand>("compare")
            .WithDescription("Show, layer by layer, how far our networks are from what another implementation put out.")
            .WithExample("compare", "--model", "teacher_small.pth", "--dump", "teacher.npz")
            .WithExample("compare", "--model", "m.safetensors", "--dump", "layers.npz", "--image", "part.png");
        configuration.AddCommand<InspectCommand>("inspect")
            .WithDescription("Replay images as paced cameras; show latency, drops and missed deadlines.")
            .WithExample("inspect", "--model", "bottle.safetensors", "--frames", "incoming", "--fps", "15")
            .WithExample("inspect", "--model", "m.safetensors", "--frames", "f", "--cameras", "4", "--deadline", "50");
        configuration.AddCommand<BenchCommand>("bench")
            .WithDescription("Measure a model's latency on this machine, from pixels to score and map.")
            .WithExample("bench", "--model", "bottle.safetensors")
            .WithExample("bench", "--model", "bottle.safetensors", "--threads", "1", "--mode", "precise", "--json")
            .WithExample("bench", "--model", "bottle.safetensors", "--paced", "10", "--frames", "1000");
        configuration.AddCommand<ExportCommand>("export")
            .WithDescription("Write a model as ONNX, and check it in ONNX Runtime against our own output.")
            .WithExample("export", "--model", "bottle.safetensors", "--onnx", "bottle.onnx")
            .WithExample("export", "--model", "m.safetensors", "--onnx", "m.onnx", "--input", "normalized");
        configuration.AddCommand<InfoCommand>("info")
            .WithDescription("Show what a model, a teacher or another safetensors file holds.")
            .WithExample("info", "bottle.safetensors")
            .WithExample("info", "bottle.safetensors", "--json");
        configuration.AddCommand<DevicesCommand>("devices")
            .WithDescription("Show what this machine can compute on, and why it cannot on the rest.")
            .WithExample("devices");
        configuration.AddCommand<KernelsCommand>("kernels")
            .WithDescription("List the CUDA kernels, or count what they do on a simulated card. Needs no GPU.")
            .WithExample("kernels")
            .WithExample("kernels", "--size", "S", "--input", "96", "--card", "rtx4090")
            .WithExample("kernels", "--model", "bottle.safetensors", "--precision", "half", "--json")
            .WithExample("kernels", "--size", "S", "--input", "96", "--training");
        configuration.AddCommand<AblateCommand>("ablate")
            .WithDescription("Count what each fusion of the CUDA plan saves, on a simulated card. Needs no GPU.")
            .WithExample("ablate")
            .WithExample("ablate", "--size", "M", "--input", "96", "--card", "h100", "--json");
    }
}
