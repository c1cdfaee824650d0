using BenchmarkDotNet.Running;
using EfficientAD.Benchmarks;
using EfficientAD.Benchmarks.Accuracy;

const string Help = """
    Benchmarks MODE [ARGUMENTS]            all arguments may be left out

      latency [S|M] [mode] [threads] [frames] [fps]   quantiles and jitter over many frames, in turn or paced
      paired [S|M] [threads] [calls] [batch]   detection beside ONNX Runtime, call after call in turn
      paired-step [S|M] [threads] [rounds]   the training step beside PyTorch's, step after step in turn
      stages [S|M] [threads] [runs]        a detection layer by layer, against the peak of the products
      roofline [threads]                   each convolution of the plain way, against the FMA peak
      scaling [S|M] [mode] [size] [threads]   one detection's time and the memory it takes, at another input size
      metrics [side] [images]              AU-PRO of so many maps, and its memory
      resize                               Pillow's resize in ours; the peer is peers/pillow_resize.py
      ablation DATA [steps] [seeds]        accuracy with one part of the recipe left out at a time
      curve DATA [minutes] [seeds]         accuracy after some minutes of training each; minutes: 1,3,5,15
      baselines DATA [minutes] [seeds]     accuracy beside a plain student-teacher and a neighbour search
      step-profile                         where a training step spends its time
      drift [steps] [side] [threads]       the losses of a training run by the engine and by plain sums of products
      cuda [device] [runs] [calls]         detection and training step on a CUDA device
      --filter '*Detection*' ...           suites of BenchmarkDotNet; --list flat names them, --help shows its options

    mode: fast, precise or plain. docs/benchmarks.md says how things are measured.
    """;

switch (args)
{
    case ["latency", .. var rest]: LatencyTimings.Run(rest); return 0;
    case ["paired", .. var rest]: PairedDetection.Run(rest); return 0;
    case ["paired-step", .. var rest]: PairedStep.Run(rest); return 0;
    case ["stages", .. var rest]: DetectionStages.Run(rest); return 0;
    case ["step-profile", .. var rest]: StepProfile.Run(rest); return 0;
    case ["drift", .. var rest]: TrainingDrift.Run(rest); return 0;
    case ["roofline", .. var rest]: Roofline.Run(rest); return 0;
    case ["scaling", .. var rest]: Scaling.Run(rest); return 0;
    case ["ablation", .. var rest]: AccuracyModes.Ablate(rest); return 0;
    case ["curve", .. var rest]: AccuracyModes.Curve(rest); return 0;
    case ["baselines", .. var rest]: AccuracyModes.Baselines(rest); return 0;
    case ["metrics", .. var rest]: MetricsTimings.Run(rest); return 0;
    case ["resize"]: ResizeTimings.Run(); return 0;
    case ["cuda", .. var rest]: return CudaTimings.Run(rest);
    case [] or ["help"]: Console.WriteLine(Help); return 0;
    case [['-', ..], ..]: BenchmarkSwitcher.FromAssembly(typeof(CudaTimings).Assembly).Run(args); return 0;
    default:
        Console.Error.WriteLine($"There is no mode '{args[0]}'.\n{Help}");
        return 2;
}
