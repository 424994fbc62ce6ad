using Hexcast.App.Cli;
using Hexcast.App.Client;

namespace Hexcast.App.Progress;

/// <summary>One file from the person's disk to a watch page, as the person sees it.</summary>
/// <param name="report">Takes, with --json only, what is to be said of each media that was followed to its end.</param>
internal sealed class UploadSession(
    HexcastClient client, TimeProvider clock, Output output, Action<Followed> report)
{
    public async Task UploadAsync(UploadRequest request, CancellationToken cancel)
    {
        var mediaId = "";
        await StageView.RunAsync(output, [Stage.Upload], async view =>
            mediaId = await new MediaFollower(client, clock, view).UploadAsync(request, cancel));
        if (output.Json)
        {
            output.Document(new { MediaId = mediaId, WatchUrl = new Uri(client.Address, $"/watch/{mediaId}") });
        }
        else
        {
            output.Say($"uploaded as {mediaId}: {new Uri(client.Address, $"/watch/{mediaId}")}");
            SayWhoMayWatch(request.Policy, mediaId);
            output.Say($"Follow it: ./hexcast show {mediaId}");
        }
    }

    /// <param name="goesOnWithoutThis">The platform is another process: what it was given it finishes.</param>
    public async Task UploadAndFollowAsync(
        UploadRequest request, CancellationToken cancel, bool goesOnWithoutThis = false)
    {
        var since = clock.GetTimestamp();
        var mediaId = "";
        try
        {
            await FollowAsync(
                since, async follower => mediaId = await follower.UploadAsync(request, cancel),
                Enum.GetValues<Stage>(), cancel);
        }
        catch (Exception left) when (goesOnWithoutThis && mediaId.Length > 0 && !IsEnd(left))
        {
            await Console.Error.WriteLineAsync(
                $"hexcast: the upload is whole, and {mediaId} goes on without this: ./hexcast show {mediaId}");
            throw;
        }

        static bool IsEnd(Exception left) => left is CliException { ExitCode: ExitCode.MediaFailed };
    }

    /// <summary>A media that is already there and not at its end yet.</summary>
    public Task FollowAsync(string mediaId, CancellationToken cancel) => FollowAsync(
        since: null, _ => Task.FromResult(mediaId), Enum.GetValues<Stage>()[1..], cancel);

    private async Task FollowAsync(
        long? since, Func<MediaFollower, Task<string>> obtain, Stage[] stages, CancellationToken cancel)
    {
        var mediaId = "";
        Outcome? outcome = null;
        try
        {
            await StageView.RunAsync(output, stages, async view =>
            {
                var follower = new MediaFollower(client, clock, view);
                mediaId = await obtain(follower);
                outcome = await follower.UntilReadyAsync(mediaId, since, cancel);
            });
        }
        catch (CliException failed) when (failed.ExitCode == ExitCode.MediaFailed && output.Json)
        {
            report(new Followed(await client.GetRawAsync(mediaId, cancel)));
            throw;
        }

        if (output.Json)
        {
            report(new Followed(outcome!, await client.GetRawAsync(mediaId, cancel)));
        }

        output.Say($"ready{MediaFollower.After(outcome!.TimeToReady)}: {client.WatchAddress(outcome.Media)}");
        SayWhoMayWatch(outcome.Media.Policy, outcome.Media.MediaId);
        MediaTables.Figures(output, outcome);
    }

    private void SayWhoMayWatch(string? policy, string mediaId)
    {
        if (policy == "signed")
        {
            output.Say($"signed: others need an address that ./hexcast link {mediaId} makes");
        }
    }
}
