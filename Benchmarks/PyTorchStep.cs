using System.Diagnostics;
using System.Globalization;
using EfficientAD.Networks;

namespace EfficientAD.Benchmarks;

/// <summary>PyTorch in a process of its own, <c>peers/pytorch_step.py</c>, that does a training step when told
/// to.</summary>
internal sealed class PyTorchStep : IDisposable
{
    private readonly Process _process;

    /// <exception cref="NotSupportedException">No Python on the path has PyTorch, or the script is missing.</exception>
    public PyTorchStep(PdnSize size, int threads)
    {
        string[] arguments =
        [
            Script(), "--threads", threads.ToString(CultureInfo.InvariantCulture),
            "--size", size.ToString().ToLowerInvariant(), "--what", "step", "--serve",
        ];
        _process = Start(Interpreter(), arguments);
    }

    public void Run()
    {
        _process.StandardInput.WriteLine();
        if (_process.StandardOutput.ReadLine() is null)
            throw new InvalidOperationException("pytorch_step.py has ended early; it says why above.");
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static string Interpreter()
    {
        string name = OperatingSystem.IsWindows() ? "python.exe" : "python3";
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        string[] found = [.. folders.Select(folder => Path.Combine(folder, name)).Where(File.Exists)];
        return found.FirstOrDefault(HasTorch) ?? throw new NotSupportedException(
            $"No Python on PATH can import torch; tried {found.Length}: {string.Join(", ", found)}. " +
            "Install PyTorch, or put a Python that has it on PATH.");

        static bool HasTorch(string python)
        {
            using Process process = Start(python, ["-c", "import torch; print(torch.__version__)"], quiet: true);
            bool printed = process.StandardOutput.ReadLine() is not null;
            process.WaitForExit();
            return printed && process.ExitCode == 0;
        }
    }

    /// <summary>Lies beside the folder of this program's sources, in which it was built.</summary>
    private static string Script()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string script = Path.Combine(folder.FullName, "peers", "pytorch_step.py");
            if (File.Exists(script)) return script;
        }

        throw new NotSupportedException(
            $"No peers/pytorch_step.py above {AppContext.BaseDirectory}. Run the program where it was built.");
    }

    private static Process Start(string file, string[] arguments, bool quiet = false) =>
        Process.Start(new ProcessStartInfo(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = quiet,
        })!;
}
