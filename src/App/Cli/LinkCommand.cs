using System.CommandLine;
using Hexcast.App.Client;
using Hexcast.App.Progress;

namespace Hexcast.App.Cli;

internal static class LinkCommand
{
    public static Command Create(TimeProvider clock)
    {
        var id = SharedOptions.MediaId();
        var lifetime = Duration.Option(
            "--for", "How long the address of a signed media opens it; without it as long as the server says");
        var json = SharedOptions.Json();
        var command = new ExampledCommand(
            "link", "The address of a watch page to send to somebody; of a signed media one that ends by itself.",
            "./hexcast link 06dkbv2m5r6kzq3x0c4a8f7n9w",
            "./hexcast link 06dkbv2m5r6kzq3x0c4a8f7n9w --for 8h")
        {
            id, lifetime, json,
        };
        var server = new ClientOptions(command);
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = server.Connect(parsed, clock);
            var media = await client.GetAsync(parsed.GetValue(id)!, cancel);
            if (media.IsFailed)
            {
                throw MediaFollower.Failure(media);
            }

            var link = await client.LinkAsync(media.MediaId, parsed.GetValue(lifetime), cancel);
            var output = new Output(parsed.GetValue(json));
            if (output.Json)
            {
                output.Document(link);
            }
            else
            {
                output.Say(link.WatchUrl.ToString());
            }

            foreach (var remark in Remarks(output, media, link, parsed.GetValue(lifetime)))
            {
                await Console.Error.WriteLineAsync($"hexcast: {remark}");
            }

            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>What whoever sends the address on would not expect of it; nothing that the command fails for.</summary>
    private static IEnumerable<string> Remarks(
        Output output, MediaDocument media, WatchLink link, TimeSpan? asked)
    {
        if (!media.IsPlayable)
        {
            yield return "nothing of it plays yet; the page says how far it is, and begins by itself.";
        }

        if (asked is not null && link.ExpiresAt is null)
        {
            yield return $"the media is {link.Policy}: the address does not end, and --for changes nothing.";
        }

        // A script knows where it runs.
        if (output.IsTerminal && link.WatchUrl.IsLoopback)
        {
            yield return $"only this machine reaches {link.WatchUrl.Authority}. For others let the platform listen "
                + "beyond it (docs/operations/security.md), and name it by their address in HEXCAST_URL.";
        }
    }
}
