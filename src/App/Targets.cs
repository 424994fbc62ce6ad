using Hexcast.App.Cli;
using Hexcast.Access;
using Hexcast.Catalog;
using Hexcast.Coordination;
using Hexcast.Dashboard;
using Hexcast.Master;
using Hexcast.Platform.Hosting;
using Hexcast.Playback;
using Hexcast.Upload;
using Hexcast.Worker;

namespace Hexcast.App;

/// <summary>A role that this executable can start.</summary>
/// <param name="Needs">Roles that have to be in its process.</param>
/// <param name="Calls">Roles that it calls: in its process too, unless nodes find each other by etcd.</param>
internal sealed record Target(string Name, string[] Needs, string[] Calls, string Help, Func<RoleModule> Module);

/// <summary>The table of roles. They start from top to bottom and stop from bottom to top.</summary>
internal static class Targets
{
    public const string Everything = "all";

    public static readonly Target[] Table =
    [
        new("coordinator", [], [], "keeps what must survive: the log, leases, elections",
            () => new CoordinationModule()),
        new("access", ["coordinator"], [], "knows tokens and sessions, keeps the audit log", () => new AccessModule()),
        new("master", ["access"], [], "schedules: jobs, tasks, who runs what", () => new MasterModule()),
        new("catalog", ["access"], ["master"], "knows every media, its state and its versions",
            () => new CatalogModule()),
        new("worker", ["access"], ["master"], "runs tasks: ffmpeg and ffprobe in their sandbox",
            () => new WorkerModule()),
        new("upload", ["access"], ["catalog"], "takes files by tus, durable before acknowledged",
            () => new UploadModule()),
        new("playback", ["access"], ["catalog"], "makes manifests, hands out tokens, serves segments",
            () => new PlaybackModule()),
        new("dashboard", ["access"], ["catalog", "playback", "master"], "the pages that people see and run it by",
            () => new DashboardModule()),
    ];

    /// <summary>The named roles and all that they need, in the order of the table.</summary>
    /// <param name="names">Comma-separated; "all" is the whole table.</param>
    /// <param name="alone">Nobody else runs the roles that they call.</param>
    public static IReadOnlyList<Target> Select(string names, bool alone = true)
    {
        var chosen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            Add(name);
        }

        return [.. Table.Where(target => chosen.Contains(target.Name))];

        void Add(string name)
        {
            if (name == Everything)
            {
                chosen.UnionWith(Table.Select(target => target.Name));
                return;
            }

            var target = Table.FirstOrDefault(t => t.Name == name) ?? throw new CliException(
                ExitCode.Usage,
                $"there is no target '{name}'. There are: all, {string.Join(", ", Table.Select(t => t.Name))}.");
            if (chosen.Add(name))
            {
                Array.ForEach(target.Needs, Add);
                Array.ForEach(alone ? target.Calls : [], Add);
            }
        }
    }
}
