using BenchmarkDotNet.Running;
using EfficientAD.Benchmarks;

if (args is ["paired", .. var rest]) PairedDetection.Run(rest);
else if (args is ["step-profile", .. var profileArguments]) StepProfile.Run(profileArguments);
else if (args is ["stages", .. var stages]) DetectionStages.Run(stages);
else if (args is ["cuda", .. var cudaArguments]) CudaTimings.Run(cudaArguments);
else BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
