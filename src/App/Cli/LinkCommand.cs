using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Hexcast.App.Cli;

internal static class LinkCommand
{
    public static Command Create(TimeProvider clock)
    {
        var id = SharedOptions.MediaId();
        var lifetime = new Option<TimeSpan?>("--for")
        {
            Description = "How long the address of a signed media opens it: 30m, 8h, 1d. Without it: an hour.",
            CustomParser = Duration,
        };
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
            var link = await client.LinkAsync(parsed.GetValue(id)!, parsed.GetValue(lifetime), cancel);
            var output = new Output(parsed.GetValue(json));
            if (output.Json)
            {
                output.Document(link);
            }
            else
            {
                output.Say(link.WatchUrl.ToString());
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static TimeSpan? Duration(ArgumentResult given)
    {
        var text = given.Tokens.Single().Value;
        if (int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0)
        {
            switch (text[^1])
            {
                case 'm':
                    return TimeSpan.FromMinutes(number);
                case 'h':
                    return TimeSpan.FromHours(number);
                case 'd':
                    return TimeSpan.FromDays(number);
            }
        }

        given.AddError($"--for is '{text}'; it has to be a number of minutes, hours or days, like 30m, 8h or 1d.");
        return null;
    }
}
