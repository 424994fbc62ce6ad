using System.CommandLine;
using Hexcast.App.Client;
using Spectre.Console;

namespace Hexcast.App.Cli;

internal static class RmCommand
{
    public static Command Create(TimeProvider clock)
    {
        var id = SharedOptions.MediaId();
        var json = SharedOptions.Json();
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask." };
        var command = new ExampledCommand(
            "rm", "Delete a media: its source, its renditions and its job.",
            "./hexcast rm 06dkbv2m5r6kzq3x0c4a8f7n9w",
            "./hexcast rm 06dkbv2m5r6kzq3x0c4a8f7n9w --yes --json")
        {
            id, yes, json,
        };
        var server = new ClientOptions(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            using var client = server.Connect(parsed, clock);
            var mediaId = parsed.GetValue(id)!;
            if (!parsed.GetValue(yes))
            {
                if (!output.IsTerminal || Console.IsInputRedirected)
                {
                    throw new CliException(ExitCode.Usage, "nobody is there to ask. Say --yes to delete.");
                }

                var media = await client.GetAsync(mediaId, cancel);
                var question = $"Delete \"{Output.Printable(media.Name)}\" ({mediaId}) for good?";
                var ask = new ConfirmationPrompt(Markup.Escape(question)) { DefaultValue = false };
                if (!await ask.ShowAsync(output.Words, cancel))
                {
                    output.Say("Nothing was deleted.");
                    Result(deleted: false);
                    return ExitCode.Success;
                }
            }

            await client.DeleteAsync(mediaId, cancel);
            output.Say($"deleted {mediaId}");
            Result(deleted: true);
            return ExitCode.Success;

            void Result(bool deleted)
            {
                if (output.Json)
                {
                    output.Document(new { mediaId, deleted });
                }
            }
        });
        return command;
    }
}
