using System.CommandLine;
using Hexcast.Coordination;
using Hexcast.Platform.Configuration;

namespace Hexcast.App.Cli;

internal static class ServeCommand
{
    public static Command Create()
    {
        var target = new Option<string>("--target")
        {
            Description = "Roles to start, separated by commas; each brings those that it needs (./hexcast targets).",
            DefaultValueFactory = _ => Targets.Everything,
        };
        var logFile = new Option<string?>("--log-file")
        {
            Description = "Append the JSON log lines to this file rather than writing them to standard output.",
        };
        var untilInputEnds = new Option<bool>("--until-stdin-ends")
        {
            Description = "Stop when standard input ends, as it does with the process that holds its other end.",
        };
        var command = new ExampledCommand(
            "serve", "Start the platform and keep it running until Ctrl-C.",
            "./hexcast serve",
            "HEXCAST__Tls__CertificateFile=cert.pem HEXCAST__Tls__KeyFile=key.pem ./hexcast serve --http 0.0.0.0:443",
            "./hexcast serve --log-file hexcast.log",
            "./hexcast serve --target worker --node encoder-1 --data ./encoder-1")
        {
            target,
            logFile,
            untilInputEnds,
        };
        var node = new NodeOptions();
        node.AddTo(command);
        command.SetAction(async (parsed, signalled) =>
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(signalled);
            var cancel = stop.Token;
            if (parsed.GetValue(untilInputEnds))
            {
                StopAtEndOfInput(stop);
            }

            var settings = node.Settings(parsed) with { LogFile = parsed.GetValue(logFile) };
            var configuration = ConfigurationSources.Load(settings.DataFolder, node.ConfigurationFile(parsed));
            var targets = Targets.Select(
                parsed.GetValue(target)!, alone: !CoordinationModule.IsShared(configuration, settings));
            var firstToken = FirstToken.In(settings.DataFolder);
            await using var running = await RunningNode.StartAsync(
                settings, node.ConfigurationFile(parsed), targets, cancel);
            // Standard output belongs to the log lines.
            await Console.Error.WriteLineAsync(
                $"hexcast: serving on {running.Address}; data in {settings.DataFolder}");
            await firstToken.TellAsync(running.ClientAddress);
            await running.ServeAsync(cancel);
            return ExitCode.Success;
        });
        return command;
    }

    // Reading a pipe cannot be cancelled: a thread of its own, which the process does not wait for.
    private static void StopAtEndOfInput(CancellationTokenSource stop)
    {
        var reading = new Thread(() =>
        {
            using var input = Console.OpenStandardInput();
            Span<byte> ignored = stackalloc byte[256];
            while (input.Read(ignored) > 0)
            {
                // Only its end says something.
            }

            try
            {
                stop.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It has stopped already.
            }
        })
        {
            IsBackground = true,
        };
        reading.Start();
    }
}
