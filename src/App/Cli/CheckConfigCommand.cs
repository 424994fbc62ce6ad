using System.CommandLine;
using Hexcast.Platform.Configuration;
using Hexcast.Platform.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.App.Cli;

internal static class CheckConfigCommand
{
    /// <summary>An options record is named for its section: WorkerOptions are what stands under Worker.</summary>
    private const string OptionsEnding = "Options";

    public static Command Create()
    {
        var json = SharedOptions.Json();
        var command = new ExampledCommand(
            "check-config", "Say what is wrong in the configuration, and where. Starts nothing.",
            "./hexcast check-config",
            "./hexcast check-config --config hexcast.json",
            "HEXCAST__Worker__Slots=2 ./hexcast check-config")
        {
            json,
        };
        var node = new NodeOptions();
        node.AddTo(command);
        command.SetAction(parsed =>
        {
            var output = new Output(parsed.GetValue(json));
            var settings = node.Settings(parsed);
            var problems = Problems(settings, node.ConfigurationFile(parsed));
            if (output.Json)
            {
                output.Document(new { valid = problems.Count == 0, problems });
            }
            else
            {
                problems.ForEach(output.Say);
                output.Say(problems.Count == 0 ? "The configuration is well." : $"{problems.Count} wrong.");
            }

            return problems.Count == 0 ? ExitCode.Success : ExitCode.Failed;
        });
        return command;
    }

    /// <summary>Lets every role bind its options into services of its own and gathers what they refuse.</summary>
    public static List<string> Problems(NodeSettings settings, string? file)
    {
        // Modules create their folders as they register: not in the data that the person keeps.
        var scratch = Directory.CreateTempSubdirectory("hexcast-check-");
        try
        {
            var configuration = ConfigurationSources.Load(settings.DataFolder, file);
            var problems = new List<string>();
            var sections = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            foreach (var target in Targets.Table)
            {
                var services = new ServiceCollection();
                var role = new RoleBuilder(services, configuration, settings with { DataFolder = scratch.FullName });
                try
                {
                    target.Module().AddServices(role);
                }
                catch (ConfigurationException wrong)
                {
                    problems.AddRange(wrong.Problems);
                    sections.UnionWith(wrong.Problems.Select(problem => problem.Split(':')[0]));
                }

                sections.UnionWith(services.Select(s => s.ServiceType.Name)
                    .Where(name => name.EndsWith(OptionsEnding, StringComparison.Ordinal))
                    .Select(name => name[..^OptionsEnding.Length]));
            }

            problems.AddRange(configuration.GetChildren().Select(section => section.Key)
                .Where(section => !sections.Contains(section))
                .Select(section => $"{section} is no section. There are: {string.Join(", ", sections.Order())}."));
            return problems;
        }
        catch (ConfigurationException unreadable)
        {
            return [.. unreadable.Problems];
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }
}
