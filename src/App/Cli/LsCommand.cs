using System.CommandLine;
using System.Text.Json;
using Hexcast.App.Client;

namespace Hexcast.App.Cli;

internal static class LsCommand
{
    private const int DefaultLimit = 100;

    public static Command Create(TimeProvider clock)
    {
        var text = new Option<string?>("--q") { Description = "Full-text search in titles, file names and tags." };
        var tag = new Option<string?>("--tag") { Description = "Only media with this tag." };
        var state = SharedOptions.OneOf<string?>(
            "--state", "Only media in this state.", "uploaded", "processing", "playable", "ready", "failed");
        var limit = new Option<int>("--limit")
        {
            Description = "At most so many, the newest first.",
            DefaultValueFactory = _ => DefaultLimit,
        };
        limit.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
            {
                result.AddError("--limit: give a number of at least 1.");
            }
        });
        var json = SharedOptions.Json();
        var command = new ExampledCommand(
            "ls", "List the media on a running platform.",
            "./hexcast ls",
            "./hexcast ls --q \"city tour\" --state ready",
            "./hexcast ls --tag lecture --json")
        {
            text, tag, state, limit, json,
        };
        var server = new ClientOptions(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            using var client = server.Connect(parsed, clock);
            var query = new MediaQuery(parsed.GetValue(text), parsed.GetValue(tag), parsed.GetValue(state));
            var found = await client.ListRawAsync(query, parsed.GetValue(limit), cancel);
            if (output.Json)
            {
                output.Document(new { media = found });
            }
            else if (found.Count == 0)
            {
                output.Say(query == new MediaQuery()
                    ? "Nothing here. Add something: ./hexcast upload FILE"
                    : "Nothing matches. All there is: ./hexcast ls");
            }
            else
            {
                MediaTables.List(output, [.. found.Select(one => one.Deserialize<MediaDocument>(Wire.Json)!)]);
            }

            return ExitCode.Success;
        });
        return command;
    }
}
