using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Hexcast.Harness;

/// <summary>The same evidence of nodes inside a test's own process: their spans are heard, their log file is kept.
/// </summary>
internal static class NodeEvidence
{
    /// <summary>
    /// Call when the node has ended and its folder, which the log file lies in, is still there: its keys are secrets.
    /// </summary>
    public static void KeepLog(string file)
    {
        Evidence.KeepDataFolder(Path.GetDirectoryName(file)!);
        if (Evidence.Folder is not null && File.Exists(file))
        {
            foreach (var line in File.ReadLines(file))
            {
                Evidence.Keep("log", line);
            }
        }
    }

    [ModuleInitializer]
    internal static void Listen()
    {
        if (Evidence.Folder is not null)
        {
            ActivitySource.AddActivityListener(new ActivityListener
            {
                ShouldListenTo = source => source.Name.StartsWith("Hexcast.", StringComparison.Ordinal),
                Sample = (ref ActivityCreationOptions<ActivityContext> _) =>
                    ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = span => Evidence.Keep("spans", JsonSerializer.Serialize(new
                {
                    span.DisplayName,
                    span.Id,
                    Tags = span.TagObjects.Select(tag => $"{tag.Key}={tag.Value}"),
                    span.StatusDescription,
                })),
            });
        }
    }
}
