using System.CommandLine;
using System.Text.Json;
using Hexcast.App.Client;

namespace Hexcast.App.Cli;

internal static class ShowCommand
{
    public static Command Create(TimeProvider clock)
    {
        var id = SharedOptions.MediaId();
        var json = SharedOptions.Json();
        var command = new ExampledCommand(
            "show", "Everything about one media: source, renditions, tasks, error.",
            "./hexcast show 06dkbv2m5r6kzq3x0c4a8f7n9w",
            "./hexcast show 06dkbv2m5r6kzq3x0c4a8f7n9w --json")
        {
            id, json,
        };
        var server = new ClientOptions(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            using var client = server.Connect(parsed, clock);
            var raw = await client.GetRawAsync(parsed.GetValue(id)!, cancel);
            if (output.Json)
            {
                output.Document(raw);
                return ExitCode.Success;
            }

            var media = raw.Deserialize<MediaDocument>(Wire.Json)!;
            MediaTables.One(output, media, client.WatchAddress(media));
            if (media.Error?.LogTail is { Length: > 0 } log)
            {
                output.Say(log.TrimEnd());
            }

            return ExitCode.Success;
        });
        return command;
    }
}
