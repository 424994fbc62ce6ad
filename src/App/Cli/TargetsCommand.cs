using System.CommandLine;

namespace Hexcast.App.Cli;

internal static class TargetsCommand
{
    public static Command Create()
    {
        var json = SharedOptions.Json();
        var command = new ExampledCommand(
            "targets", "The roles that serve can start, in the order in which they start.",
            "./hexcast targets",
            "./hexcast targets --json")
        {
            json,
        };
        command.SetAction(parsed =>
        {
            var output = new Output(parsed.GetValue(json));
            if (output.Json)
            {
                output.Document(Targets.Table.Select(t => new { t.Name, t.Needs, t.Calls, t.Help }));
                return ExitCode.Success;
            }

            var table = new Columns("target", "needs", "calls", "what it does");
            foreach (var target in Targets.Table)
            {
                table.Add(target.Name, string.Join(", ", target.Needs), string.Join(", ", target.Calls), target.Help);
            }

            output.Words.Write(table);
            return ExitCode.Success;
        });
        return command;
    }
}
