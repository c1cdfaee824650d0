namespace EfficientAD.Cli.Output;

/// <summary>What a run says when it was stopped: what was saved, and the command that goes on.</summary>
internal static class Interruption
{
    /// <param name="arguments">Of the command that was stopped.</param>
    /// <param name="checkpointPath">Where a checkpoint is, if the run came so far.</param>
    public static void Report(CommandOutput output, bool json, IReadOnlyList<string> arguments, string checkpointPath)
    {
        const string Resume = "--resume";
        bool hasCheckpoint = File.Exists(checkpointPath);
        bool addResume = hasCheckpoint && !arguments.Contains(Resume);
        string command = Invocation.Describe(addResume ? arguments.Append(Resume) : arguments);
        if (json)
        {
            output.WriteJson(writer =>
            {
                writer.WriteString("event", "interrupted");
                writer.WriteString("checkpoint", hasCheckpoint ? checkpointPath : null);
                writer.WriteString("continue", command);
            });
            return;
        }

        output.WriteLine(hasCheckpoint
            ? $"Interrupted; saved in {checkpointPath}. Go on with:"
            : "Interrupted before the first step. Start again with:");
        output.WriteLine($"  {command}");
    }
}
