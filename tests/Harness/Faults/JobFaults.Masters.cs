using System.Security.Cryptography;
using Grpc.Core;
using Grpc.Net.Client;
using Hexcast.Contracts;
using Hexcast.Contracts.V1;

namespace Hexcast.Harness.Faults;

/// <summary>Masters that are lost.</summary>
public sealed partial class JobFaults
{
    private const int LateOrders = 8;

    /// <summary>Of a term whose write the coordinator has refused for its fence.</summary>
    private const string RefusedWords = "another master has taken over";

    private readonly HashSet<string> lateMedia = new(StringComparer.Ordinal);
    private int needlesslyRepeated;
    private int stops;
    private int refusedWrites;

    /// <summary>What the line of a row has to say beside its figures, since it was last asked.</summary>
    public string TakeRemarks()
    {
        var remarks = needlesslyRepeated > 0 ? $"; {needlesslyRepeated} attempts repeated that had no need to be" : "";
        if (stops > 0)
        {
            remarks += refusedWrites > 0
                ? $"; after {refusedWrites} of them the old master tried a write, which was refused"
                : "; after none of them the old master got as far as to try a write";
        }

        (needlesslyRepeated, stops, refusedWrites) = (0, 0, 0);
        return remarks;
    }

    /// <summary>What workers that lived did under it, and others do again, came to the next master too late: it costs
    /// time, is counted, and one commit has effect.</summary>
    /// <returns>From the kill until another one answers as the master.</returns>
    public async Task<TimeSpan> KillMasterAsync()
    {
        var master = await BeginAsync();
        await using var clients = AskRegisters();
        var start = Clock.GetTimestamp();
        await master.KillAsync();
        var without = await UntilAnotherAsync(master, start);
        await master.StartAgainAsync();
        await clients.CheckAsync();
        await HoldsAsync();
        needlesslyRepeated += history.Repeated.Count(one => one.Node != cluster.NameOf(master));
        return without;
    }

    /// <summary>It is ordered to make jobs while it stands still, and has yet to hear that it is the master no more
    /// when it goes on: nothing of it may be accepted.</summary>
    /// <returns>From the stop until another one answers as the master.</returns>
    public async Task<TimeSpan> StopMasterAsync(TimeSpan time)
    {
        var master = await BeginAsync();
        // A client's own keep-alive would give the connection up, and its orders with it, before the master goes on.
        using var channel = GrpcChannel.ForAddress(
            $"http://{master.Grpc}",
            new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler(), DisposeHttpClient = true });
        await ConnectAsync(channel);
        var orders = new Transcoder.TranscoderClient(channel.CreateCallInvoker());
        await using var clients = AskRegisters();
        var told = master.Log.Length;
        var start = Clock.GetTimestamp();
        await master.PauseAsync();
        var late = Enumerable.Range(0, LateOrders).Select(_ => OrderAsync(orders, time + Limit)).ToList();
        var without = await UntilAnotherAsync(master, start);
        await Wait.ForAsync(() => Task.FromResult(Clock.GetElapsedTime(start) > time), time + Limit, () => "");
        await master.ContinueAsync();
        var answers = await Task.WhenAll(late);
        answers.ShouldNotContain(OrderAnswer.Taken, "the old master took an order");
        answers.ShouldContain(OrderAnswer.Refused, "the old master answered no order");
        await Wait.ForAsync(
            async () => !await NodeCluster.IsMasterAsync(master), Limit, () => "it still takes itself for the master");
        await clients.CheckAsync();
        await HoldsAsync();
        history.Jobs.ShouldNotContain(job => lateMedia.Contains(job.MediaId));
        stops++;
        refusedWrites += master.Log[told..].Contains(RefusedWords, StringComparison.Ordinal) ? 1 : 0;
        return without;
    }

    private enum OrderAnswer
    {
        Taken,

        /// <summary>By the node itself: a broken connection brings no such status.</summary>
        Refused,
        None,
    }

    /// <summary>What is ordered then is there when it goes on, and need not find its way first.</summary>
    private static async Task ConnectAsync(GrpcChannel channel)
    {
        var asked = await Should.ThrowAsync<RpcException>(
            new Scheduler.SchedulerClient(channel.CreateCallInvoker())
                .GetJobAsync(new GetJobRequest { JobId = "nobody" }).ResponseAsync);
        asked.StatusCode.ShouldBe(StatusCode.NotFound);
    }

    private async Task<OrderAnswer> OrderAsync(Transcoder.TranscoderClient orders, TimeSpan limit)
    {
        var id = MediaId.From(new Guid(RandomNumberGenerator.GetBytes(16))).ToString();
        lateMedia.Add(id);
        try
        {
            await orders.TranscodeAsync(
                new TranscodeRequest { MediaId = id, SourceKey = $"sources/{id}" },
                deadline: (Clock.GetUtcNow() + limit).UtcDateTime);
            return OrderAnswer.Taken;
        }
        catch (RpcException refused)
        {
            return refused.StatusCode == StatusCode.Unavailable && refused.GetRpcStatus() is not null
                ? OrderAnswer.Refused : OrderAnswer.None;
        }
    }

    /// <summary>From there on somebody else answers as the master.</summary>
    private async Task<TimeSpan> UntilAnotherAsync(PlatformProcess lost, long start)
    {
        var others = cluster.Nodes.Where(node => node != lost && cluster.MayLead(node)).ToList();
        while (Clock.GetElapsedTime(start) < Limit)
        {
            if ((await Task.WhenAll(others.Select(NodeCluster.IsMasterAsync))).Contains(true))
            {
                return Clock.GetElapsedTime(start);
            }

            await Task.Delay(Look, Clock);
        }

        throw new TimeoutException("nobody became the master");
    }
}
