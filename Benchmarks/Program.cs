using BenchmarkDotNet.Running;
using EfficientAD.Benchmarks;

if (args is ["paired", .. var rest]) PairedDetection.Run(rest);
else BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
