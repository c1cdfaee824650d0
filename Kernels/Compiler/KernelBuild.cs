namespace EfficientAD.Kernels.Compiler;

/// <summary>Everything that is made from the sources.</summary>
/// <param name="Ptx">File name, such as adam.sm_80.ptx, to text.</param>
/// <param name="Resources">By file, kernel and architecture.</param>
internal sealed record KernelBuild(IReadOnlyDictionary<string, string> Ptx, IReadOnlyList<KernelResources> Resources)
{
    /// <exception cref="InvalidDataException">A file does not compile or assemble; the message is the compiler's
    /// log.</exception>
    public static KernelBuild Run(KernelSource[] sources, CompilerFolder folder)
    {
        var nvrtc = new Nvrtc(folder);
        var ptxas = new Ptxas(folder);
        (KernelSource Source, Target Target)[] jobs =
        [
            .. sources.SelectMany(source =>
                Target.All.Where(target => target.Takes(source)).Select(target => (source, target))),
        ];
        var results = new (string File, string? Ptx, KernelResources[] Resources)[jobs.Length];
        try
        {
            Parallel.For(0, jobs.Length, i =>
            {
                var (source, target) = jobs[i];
                string file = $"{source.Name}.{target.Name}.ptx";
                string? ptx = Compiler.Ptx.Make(source, target, nvrtc, ptxas);
                KernelResources[] resources = ptx is null
                    ? []
                    : [.. target.Assembled.SelectMany(architecture => ptxas.Resources(source.Name, ptx, architecture))];
                results[i] = (file, ptx, resources);
            });
        }
        catch (AggregateException e) when (e.InnerExceptions.All(inner => inner is InvalidDataException))
        {
            throw new InvalidDataException(string.Join("\n", e.InnerExceptions.Select(inner => inner.Message)));
        }

        return new KernelBuild(
            results.Where(result => result.Ptx is not null).ToDictionary(result => result.File, result => result.Ptx!),
            [.. results.SelectMany(result => result.Resources)
                .OrderBy(kernel => kernel.File, StringComparer.Ordinal)
                .ThenBy(kernel => kernel.Kernel, StringComparer.Ordinal)
                .ThenBy(kernel => kernel.Architecture, StringComparer.Ordinal)]);
    }
}
