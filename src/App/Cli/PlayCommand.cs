using System.CommandLine;
using Hexcast.App.Client;
using Hexcast.App.Play;

namespace Hexcast.App.Cli;

internal static class PlayCommand
{
    private const string LogName = "hexcast.log";

    public static Command Create(TimeProvider clock)
    {
        var file = SharedOptions.File<string?>(
            "The video file. Without it: a clip that ffmpeg makes, if the data folder is still empty.");
        file.Arity = ArgumentArity.ZeroOrOne;
        var once = new Option<bool>("--once") { Description = "End when all is ready, rather than keep serving." };
        var json = SharedOptions.Json();
        var command = new ExampledCommand(
            "play", "Start the platform, put a video in, and say where to watch it.",
            "./hexcast play",
            "./hexcast play talk.mp4",
            "./hexcast play talk.mp4 --once --data /tmp/try --http 127.0.0.1:9080 --grpc 127.0.0.1:9081")
        {
            file, once, json,
        };
        var options = new NodeOptions();
        options.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            if (parsed.GetValue(file) is { } video)
            {
                // Before a platform is started for it.
                await TusUpload.Open(video).DisposeAsync();
            }

            var settings = options.Settings(parsed);
            settings = settings with { LogFile = Path.Combine(settings.DataFolder, LogName) };
            var firstToken = FirstToken.In(settings.DataFolder);
            await using var node = await RunningNode.StartAsync(
                settings, options.ConfigurationFile(parsed), Targets.Select(Targets.Everything), cancel);
            output.Say($"serving on {node.Address}; data in {settings.DataFolder}, log in {settings.LogFile}");
            await firstToken.TellAsync(node.ClientAddress);

            using var client = node.Connect(settings.DataFolder, clock);
            var play = new PlaySession(client, clock, output);
            if (parsed.GetValue(once))
            {
                await await Task.WhenAny(play.RunAsync(parsed.GetValue(file), cancel), node.Died);
                return ExitCode.Success;
            }

            try
            {
                await await Task.WhenAny(play.RunAsync(parsed.GetValue(file), cancel), node.Died);
            }
            catch (CliException failed) when (failed.ExitCode == ExitCode.MediaFailed)
            {
                // The platform itself is well: it keeps serving, and the person can retry.
                await Console.Error.WriteLineAsync($"hexcast: {Output.Printable(failed.Message)}");
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return ExitCode.Success;
            }

            output.Say($"Serving on {node.Address}. Ctrl-C stops it; starting it again finds everything.");
            await node.ServeAsync(cancel);
            return ExitCode.Success;
        });
        return command;
    }
}
