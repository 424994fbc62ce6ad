using System.CommandLine;
using Hexcast.App.Client;
using Hexcast.App.Progress;

namespace Hexcast.App.Cli;

internal static class UploadCommand
{
    public static Command Create(TimeProvider clock)
    {
        var file = SharedOptions.File<string>("The video file.");
        var preset = new Option<string?>("--preset") { Description = "The preset. Without it: the server's default." };
        var title = new Option<string?>("--title") { Description = "Title. Without it: the file's name." };
        var tag = new Option<string[]>("--tag") { Description = "A tag; may be given several times." };
        var policy = SharedOptions.OneOf<string?>(
            "--policy", "Who may watch: all, or holders of a signed address.", "public", "signed");
        var watch = new Option<bool>("--watch") { Description = "End only when the media is ready or has failed." };
        var json = SharedOptions.Json();
        var command = new ExampledCommand(
            "upload", "Upload a file to a running platform; goes on after a lost connection.",
            "./hexcast upload talk.mp4",
            "./hexcast upload talk.mp4 --title \"City tour\" --tag lecture --tag 2026 --watch",
            "HEXCAST_URL=https://video.example ./hexcast upload talk.mp4 --watch --json")
        {
            file, preset, title, tag, policy, watch, json,
        };
        var server = new ClientOptions(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            using var client = server.Connect(parsed, clock);
            var request = new UploadRequest(
                parsed.GetValue(file)!, parsed.GetValue(title), parsed.GetValue(preset), parsed.GetValue(policy))
            {
                Tags = parsed.GetValue(tag) ?? [],
            };
            var session = new UploadSession(client, clock, output, output.Document);
            if (parsed.GetValue(watch))
            {
                await session.UploadAndFollowAsync(request, cancel, goesOnWithoutThis: true);
            }
            else
            {
                await session.UploadAsync(request, cancel);
            }

            return ExitCode.Success;
        });
        return command;
    }
}
