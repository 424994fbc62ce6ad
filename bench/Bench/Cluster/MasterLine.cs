using Grpc.Core;
using Grpc.Net.Client;
using Hexcast.Contracts.V1;
using Hexcast.Worker;

namespace Hexcast.Bench.Cluster;

/// <summary>What a master can be asked.</summary>
internal sealed record MasterCalls(Scheduler.SchedulerClient Scheduler, Transcoder.TranscoderClient Transcoder)
{
    /// <summary>Sent together as a worker sends its own.</summary>
    public ReportBatches Reports { get; } = new(Scheduler, TimeProvider.System);
}

/// <summary>Calls to whichever node is the master; made again where that has moved.</summary>
internal sealed class MasterLine(Func<Task<PlatformProcess>> find) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(20);

    private readonly SemaphoreSlim finding = new(1);
    private volatile Line? line;

    private sealed record Line(GrpcChannel Channel, MasterCalls Calls);

    /// <summary>Has to be safe to repeat.</summary>
    public async Task<T> CallAsync<T>(Func<MasterCalls, Task<T>> call, CancellationToken cancel)
    {
        var since = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var used = await LineAsync(cancel);
            try
            {
                return await call(used.Calls);
            }
            catch (RpcException) when (
                !cancel.IsCancellationRequested && TimeProvider.System.GetElapsedTime(since) < Patience)
            {
                Interlocked.CompareExchange(ref line, null, used);
                await Task.Delay(AskAgain, TimeProvider.System, cancel);
            }
        }
    }

    // A line that is given up may still be in use: it is not disposed of, the process ends soon.
    public void Dispose()
    {
        line?.Channel.Dispose();
        finding.Dispose();
    }

    private async Task<Line> LineAsync(CancellationToken cancel)
    {
        if (line is { } known)
        {
            return known;
        }

        await finding.WaitAsync(cancel);
        try
        {
            if (line is null)
            {
                var master = await find();
                var channel = GrpcChannel.ForAddress($"http://{master.Grpc}");
                var calls = channel.CreateCallInvoker();
                line = new Line(channel, new MasterCalls(new(calls), new(calls)));
            }

            return line;
        }
        finally
        {
            finding.Release();
        }
    }
}
