using System.Reflection;

namespace EfficientAD.Cli;

internal static class ThisVersion
{
    /// <summary>0.1.0 and, after a plus sign, the commit it was built from.</summary>
    public static string Text { get; } =
        typeof(ThisVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
}
