using Hexcast.Coordination;
using Hexcast.Platform.Configuration;
using Hexcast.Platform.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.App;

/// <summary>What is wrong in a configuration and its presets: <c>check-config</c> tells, a start refuses.</summary>
internal static class ConfigurationCheck
{
    /// <summary>An options record is named for its section: WorkerOptions are what stands under Worker.</summary>
    private const string OptionsEnding = "Options";

    /// <summary>With what etcd's members say, where they are to be used.</summary>
    public static async Task<List<string>> TryAsync(
        NodeSettings settings, string? file, TimeProvider clock, CancellationToken cancel)
    {
        var problems = Problems(settings, file);
        try
        {
            problems.AddRange(await CoordinationModule.TryAsync(
                ConfigurationSources.Load(settings.DataFolder, file), clock, cancel));
        }
        catch (ConfigurationException)
        {
            // It is among the problems.
        }

        return problems;
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
            foreach (var module in HexcastHost.OwnModules().Concat(Targets.Table.Select(target => target.Module())))
            {
                var services = new ServiceCollection();
                var role = new RoleBuilder(services, configuration, settings with { DataFolder = scratch.FullName });
                try
                {
                    module.AddServices(role);
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
            AddPresetProblems(settings, problems);
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

    private static void AddPresetProblems(NodeSettings settings, List<string> problems)
    {
        try
        {
            HexcastHost.LoadPresets(settings);
        }
        catch (ConfigurationException wrong)
        {
            problems.AddRange(wrong.Problems);
        }
        catch (Exception unusable) when (unusable is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            problems.Add(unusable.Message);
        }
    }
}
