namespace Hexcast.Drills.Power;

/// <summary>The whole platform in the guest: puts, uploads in pieces, and a job in most rounds.</summary>
internal static class AloneRun
{
    private static readonly TimeSpan ShortestLoad = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestLoad = TimeSpan.FromSeconds(15);

    /// <param name="syncs">False: the node believes so, and nothing of it is kept.</param>
    public static async Task RunAsync(DrillReport report, string folder, int cuts, Random random, bool syncs = true)
    {
        var clock = TimeProvider.System;
        await using var node = await GuestNode.MakeAsync(
            folder, PlatformProcess.FreePort(), outward: [], new Dictionary<string, string>
            {
                ["Access:AllowPlainHttp"] = "true",
                ["Access:AllowOpenGrpc"] = "true",
                // So that snapshots and the removal of old segments are cut off too.
                ["Coordination:SnapshotEntries"] = "300",
                ["Coordination:ElectionTimeoutMilliseconds"] = "2000",
                ["Worker:StallLimit"] = "00:10:00",
            });
        if (!syncs)
        {
            await node.SyncNothingAsync();
        }

        var clip = Path.Combine(folder, "clip.mp4");
        await Clips.MakeStandardAsync(clip, seconds: 2, size: "256x144", rate: "15");
        var puts = new PutLedger();
        var media = new MediaLedger(node.Api, node.Http, clip, random);
        node.PowerOn();
        await node.WaitUntilReadyAsync();
        await media.MakeOneReadyAsync();
        for (var cut = 1; cut <= cuts; cut++)
        {
            using var stop = new CancellationTokenSource();
            var before = puts.Acknowledged;
            var load = Task.WhenAll(puts.WriteAsync(node.Grpc, stop.Token), media.UploadAsync(stop.Token));
            var moment = ShortestLoad + ((LongestLoad - ShortestLoad) * random.NextDouble());
            await Task.WhenAll(puts.WaitForMoreAsync(before), media.WaitForLoadAsync());
            // A load that ends by itself has found something wrong.
            await Task.WhenAny(load, Task.Delay(moment, clock, stop.Token));
            var endedEarly = load.IsCompleted;
            await node.CutAsync();
            await stop.CancelAsync();
            await load;
            if (endedEarly)
            {
                throw new InvalidOperationException("the load ended before the power did");
            }

            node.PowerOn();
            await node.WaitUntilReadyAsync();
            await puts.CheckAsync(node.Grpc);
            await media.CheckAsync();
            Console.WriteLine(
                $"alone, cut {cut} of {cuts} after {moment.TotalSeconds:0.0} s: {puts.Acknowledged} puts, " +
                $"{media.AcknowledgedBytes} bytes, {media.Ready} of {media.Media} media ready; unsynced lines lost " +
                $"{node.LossesSeen} times; ready in {node.Starts[^1].TotalSeconds:0} s");
        }

        await media.FinishAsync();
        PowerDrill.AddGuest(report, node, cuts);
        report.Add($"| puts acknowledged, all there after each loss | {puts.Acknowledged} |");
        report.Add($"| bytes of uploads acknowledged, all there | {media.AcknowledgedBytes} |");
        report.Add($"| media uploaded, all ready in the end with every frame | {media.Media} |");
        report.Add($"| media that were ready, compared byte by byte after a loss | {media.Compared} |");
    }
}
