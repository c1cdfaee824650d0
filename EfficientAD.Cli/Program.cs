using System.Runtime.InteropServices;
using EfficientAD.Cli;
using EfficientAD.Cli.Output;

using var cancellation = new CancellationTokenSource();
// The first Ctrl-C lets the command save what it has; a second one ends the process at once.
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
return await CommandLine.RunAsync(args, CommandOutput.ForProcess(), cancellation.Token);

void Cancel(PosixSignalContext signal)
{
    signal.Cancel = !cancellation.IsCancellationRequested;
    cancellation.Cancel();
}
