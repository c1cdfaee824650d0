namespace EfficientAD.Cli;

/// <summary>The command line asks for something that does not go together; found only after it was parsed.</summary>
internal sealed class UsageException(string message) : Exception(message);
