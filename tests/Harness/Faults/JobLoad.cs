using System.Net;

namespace Hexcast.Harness.Faults;

/// <summary>Uploads a clip again and again for as long as it lives, so that there are always jobs under way.</summary>
public sealed class JobLoad : IAsyncDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(200);

    private readonly HexcastApi api;
    private readonly string clip;
    private readonly int atOnce;
    private readonly AcknowledgedMedia acknowledged;
    private readonly List<string> unfinished = [];
    private readonly CancellationTokenSource stop = new();
    private readonly Task uploading;

    /// <summary>Where the bytes of the upload go that has begun and is not taken over yet.</summary>
    private string? begun;

    /// <param name="acknowledged">Gets the media whose upload was acknowledged: each has to become ready.</param>
    public JobLoad(HexcastApi api, string clip, int atOnce, AcknowledgedMedia acknowledged)
    {
        (this.api, this.clip, this.atOnce, this.acknowledged) = (api, clip, atOnce, acknowledged);
        uploading = UploadAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await uploading;
        stop.Dispose();
    }

    private async Task UploadAsync()
    {
        using var pace = new PeriodicTimer(Pace);
        try
        {
            while (await pace.WaitForNextTickAsync(stop.Token))
            {
                await OnceAsync();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // It has been enough.
        }
    }

    private async Task OnceAsync()
    {
        try
        {
            foreach (var id in unfinished.ToList())
            {
                if (await IsOverAsync(id))
                {
                    unfinished.Remove(id);
                }
            }

            if (unfinished.Count < atOnce)
            {
                await UploadOneAsync();
            }
        }
        catch (HttpRequestException e) when (e.StatusCode is null or HttpStatusCode.ServiceUnavailable)
        {
            // The node of the catalogue is down or stopping. An upload goes on where it stands once it is back.
        }
    }

    private async Task UploadOneAsync()
    {
        begun ??= await api.BeginUploadAsync(clip);
        await api.GoOnAsync(begun, clip, await api.OffsetAsync(begun));
        var id = begun.Split('/')[^1];
        begun = null;
        unfinished.Add(id);
        acknowledged.Add(id, clip);
    }

    private async Task<bool> IsOverAsync(string id)
    {
        try
        {
            return (string)(await api.GetAsync(id))["state"]! is "ready" or "failed";
        }
        catch (HttpRequestException e) when (e.StatusCode is HttpStatusCode.NotFound)
        {
            // Whole, but its node ended before the catalogue was told, and tells it now. That it becomes ready is
            // wanted of all that were acknowledged in the end.
            return false;
        }
    }
}

/// <summary>What the platform has taken over, and of which clip it is.</summary>
public sealed class AcknowledgedMedia
{
    private readonly List<(string Id, string Clip)> all = [];

    public IReadOnlyList<(string Id, string Clip)> All
    {
        get
        {
            lock (all)
            {
                return [.. all];
            }
        }
    }

    public void Add(string id, string clip)
    {
        lock (all)
        {
            all.Add((id, clip));
        }
    }

    public void Clear()
    {
        lock (all)
        {
            all.Clear();
        }
    }
}
