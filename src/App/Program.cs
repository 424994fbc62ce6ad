using System.Runtime.InteropServices;
using Hexcast.App.Cli;

namespace Hexcast.App;

internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, StopFirst);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, StopFirst);
        return await CommandLine.RunAsync(arguments, TimeProvider.System, stop.Token);

        // The first signal asks; a second one is not held back from ending the process.
        void StopFirst(PosixSignalContext signal)
        {
            signal.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }
    }
}
