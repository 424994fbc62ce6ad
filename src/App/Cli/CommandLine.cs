using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Hexcast.Platform.Configuration;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;

namespace Hexcast.App.Cli;

/// <summary>The commands, and the one place where a failure becomes an exit code.</summary>
internal static class CommandLine
{
    /// <summary>What a person types, and every page and message says.</summary>
    private const string Name = "./hexcast";

    public static async Task<int> RunAsync(string[] arguments, TimeProvider clock, CancellationToken cancel)
    {
        var parsed = Root(clock).Parse(arguments);
        // Help asked for beside what is missing is still help.
        if (parsed.Action is ParseErrorAction)
        {
            foreach (var error in parsed.Errors)
            {
                Complain(error.Message);
            }

            var command = parsed.CommandResult.Command;
            Complain(command.Name == Name ? $"See: {Name} help" : $"See: {NameOf(command)} --help");
            return ExitCode.Usage;
        }

        try
        {
            var invocation = new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                // Program listens for the signals: commands stop in their own order.
                ProcessTerminationTimeout = null,
            };
            return await parsed.InvokeAsync(invocation, cancel);
        }
        catch (CliException failure)
        {
            Complain(failure.Message);
            return failure.ExitCode;
        }
        catch (ConfigurationException wrong)
        {
            foreach (var problem in wrong.Problems)
            {
                Complain(problem);
            }

            return ExitCode.Usage;
        }
        catch (HexcastException refused)
        {
            Complain(refused.Message);
            return ExitCode.Of(refused.Code);
        }
        catch (NodeFailureException broken)
        {
            Complain(broken.Message);
            return ExitCode.Failed;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
        catch (Exception defect)
        {
            // A defect, or a role's loop that died: the person who reports it needs all of it.
            Complain(defect.ToString());
            return ExitCode.Failed;
        }
    }

    public static Command Root(TimeProvider clock)
    {
        // A RootCommand would be called by the executable's name, which nobody types.
        var help = new HelpOption();
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
        return new Command(Name, "Hexcast: a file goes in; seconds later any browser, phone or TV plays it.")
        {
            help,
            new VersionOption(),
            PlayCommand.Create(clock),
            ServeCommand.Create(),
            UploadCommand.Create(clock),
            LsCommand.Create(clock),
            ShowCommand.Create(clock),
            LinkCommand.Create(clock),
            RmCommand.Create(clock),
            RetryCommand.Create(clock),
            ClusterCommands.Nodes(clock),
            ClusterCommands.Queues(clock),
            ClusterCommand.Create(clock),
            TokenCommand.Create(clock),
            TargetsCommand.Create(),
            CheckConfigCommand.Create(),
        };
    }

    /// <summary>"./hexcast token create" of the command create below token.</summary>
    private static string NameOf(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent
            ? $"{NameOf(parent)} {command.Name}" : command.Name;

    private static void Complain(string message) => Console.Error.WriteLine($"hexcast: {Output.Printable(message)}");

    private sealed class HelpWithExamples(HelpAction plain) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            var code = plain.Invoke(parseResult);
            if (parseResult.CommandResult.Command is ExampledCommand { Examples: var examples })
            {
                var output = parseResult.InvocationConfiguration.Output;
                output.WriteLine("Examples:");
                foreach (var example in examples)
                {
                    output.WriteLine($"  {example}");
                }

                output.WriteLine();
            }

            return code;
        }
    }
}

/// <summary>A command whose help ends with examples.</summary>
internal sealed class ExampledCommand(string name, string description, params string[] examples)
    : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; } = examples;
}
