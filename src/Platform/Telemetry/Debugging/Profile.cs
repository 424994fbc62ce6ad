using System.Diagnostics.Tracing;
using System.Globalization;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Diagnostics.NETCore.Client;

namespace Hexcast.Platform.Telemetry;

/// <summary>
/// GET /debug/profile?seconds=: a sampled CPU profile of this process as a .nettrace file, which PerfView, Visual
/// Studio, <c>dotnet-trace report</c> and speedscope (after <c>dotnet-trace convert</c>) read.
/// </summary>
internal sealed class Profile(NodeSettings node, TimeProvider clock) : IDisposable
{
    public const int SecondsDefault = 10;
    public const int SecondsLimit = 60;
    private const int BufferMebibytes = 64;

    /// <summary>What dotnet-trace's own CPU profile asks of the runtime: methods' names, GC, exceptions.</summary>
    private const long RuntimeKeywords = 0x4c14fccbd;

    private static readonly EventPipeProvider[] Providers =
    [
        new("Microsoft-DotNETCore-SampleProfiler", EventLevel.Informational),
        new("Microsoft-Windows-DotNETRuntime", EventLevel.Informational, RuntimeKeywords),
    ];

    private readonly SemaphoreSlim turn = new(1, 1);

    public async Task AnswerAsync(HttpContext context)
    {
        var seconds = Seconds(context.Request.Query["seconds"]);
        if (!await turn.WaitAsync(TimeSpan.Zero, context.RequestAborted))
        {
            throw new HexcastException(ErrorCodes.Conflict, "A profile is being taken. Try again when it is done.");
        }

        try
        {
            using var session = await StartAsync(context.RequestAborted);
            var stamp = clock.GetUtcNow().ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
            context.Response.ContentType = "application/octet-stream";
            context.Response.Headers.ContentDisposition =
                $"attachment; filename=\"hexcast-{node.NodeId}-{stamp}.nettrace\"";
            // Stopping makes the runtime send what it still holds, so somebody must be reading meanwhile.
            var stopping = StopAsync(session, seconds, context.RequestAborted);
            try
            {
                await session.EventStream.CopyToAsync(context.Response.Body, context.RequestAborted);
            }
            finally
            {
                await stopping;
            }
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();

    private static int Seconds(string? asked) => string.IsNullOrEmpty(asked) ? SecondsDefault
        : int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            && seconds is >= 1 and <= SecondsLimit ? seconds
        : throw new HexcastException(
            ErrorCodes.InvalidArgument, $"seconds is a whole number from 1 to {SecondsLimit}.");

    private static async Task<EventPipeSession> StartAsync(CancellationToken cancel)
    {
        try
        {
            var self = new DiagnosticsClient(Environment.ProcessId);
            return await self.StartEventPipeSessionAsync(Providers, requestRundown: true, BufferMebibytes, cancel);
        }
        catch (DiagnosticsClientException refused)
        {
            throw new HexcastException(
                ErrorCodes.Unavailable,
                $"The runtime takes no profile: {refused.Message} Is DOTNET_EnableDiagnostics=0 set?", refused);
        }
    }

    private async Task StopAsync(EventPipeSession session, int seconds, CancellationToken cancel)
    {
        await Task.Delay(TimeSpan.FromSeconds(seconds), clock, cancel)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            await session.StopAsync(CancellationToken.None);
        }
        catch (Exception over) when (over is EndOfStreamException or IOException or DiagnosticsClientException)
        {
            // The session has ended by itself: the reader sees it too.
        }
    }
}
