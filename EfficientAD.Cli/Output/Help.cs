using Spectre.Console;
using Spectre.Console.Cli;
using Spectre.Console.Cli.Help;
using Spectre.Console.Rendering;

namespace EfficientAD.Cli.Output;

/// <summary>Spectre's help with a command's own options first, those that it shares with others behind them, and the
/// exit codes at the end.</summary>
internal sealed class Help(ICommandAppSettings settings) : HelpProvider(settings)
{
    public override IEnumerable<IRenderable> GetOptions(ICommandModel model, ICommandInfo? command) =>
        base.GetOptions(model, command is null ? null : new OwnOptionsFirst(command));

    public override IEnumerable<IRenderable> GetFooter(ICommandModel model, ICommandInfo? command)
    {
        string codes = command?.Name switch
        {
            "predict" => "0 all images are good, 1 failure, 2 wrong command line,\n" +
                "    3 an image is anomalous, 4 an image is invalid, 130 Ctrl-C",
            "compare" => "0 all layers agree, 1 failure, 2 wrong command line, 3 a layer differs, 130 Ctrl-C",
            _ => "0 success, 1 failure, 2 wrong command line, 130 Ctrl-C",
        };
        return
        [
            Text.NewLine,
            new Markup("[yellow]EXIT CODES:[/]"),
            Text.NewLine,
            new Text($"    {codes}"),
            Text.NewLine,
        ];
    }

    private sealed class OwnOptionsFirst(ICommandInfo command) : ICommandInfo
    {
        private static readonly string[] Shared = ["json", "threads", "device", "verbose"];

        public IReadOnlyList<ICommandParameter> Parameters =>
        [
            .. command.Parameters.OrderBy(parameter => parameter switch
            {
                ICommandOption { IsRequired: true } => -2,
                ICommandOption { LongNames: [var name, ..] } => Array.IndexOf(Shared, name),
                _ => Shared.Length,
            }),
        ];

        public string Name => command.Name;

        public string? Description => command.Description;

        public bool IsBranch => command.IsBranch;

        public bool IsDefaultCommand => command.IsDefaultCommand;

        public bool IsHidden => command.IsHidden;

        public ICommandInfo? Parent => command.Parent;

        public IReadOnlyList<string[]> Examples => command.Examples;

        public IReadOnlyList<ICommandInfo> Commands => command.Commands;

        public ICommandInfo? DefaultCommand => command.DefaultCommand;
    }
}
