using System.CommandLine;
using Hexcast.App.Client;

namespace Hexcast.App.Cli;

internal static class RetryCommand
{
    public static Command Create(TimeProvider clock)
    {
        var id = SharedOptions.MediaId();
        var json = SharedOptions.Json();
        var command = new ExampledCommand(
            "retry", "Run a failed media's job again; tasks that were committed are kept.",
            "./hexcast retry 06dkbv2m5r6kzq3x0c4a8f7n9w",
            "./hexcast retry 06dkbv2m5r6kzq3x0c4a8f7n9w --json")
        {
            id, json,
        };
        var server = new ClientOptions(command);
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = server.Connect(parsed, clock);
            var mediaId = parsed.GetValue(id)!;
            var media = await client.RetryAsync(mediaId, cancel);
            var output = new Output(parsed.GetValue(json));
            output.Say($"{mediaId} is queued again. Follow it: ./hexcast show {mediaId}");
            if (output.Json)
            {
                output.Document(media);
            }

            return ExitCode.Success;
        });
        return command;
    }
}
