using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Hexcast.App.Cli;
using Hexcast.Platform.Hosting;

namespace Hexcast.App.Client;

internal sealed partial class HexcastClient
{
    private const int MaxReconnects = 20;

    /// <summary>
    /// What happens to a media, from now on: its document at once and after each change, its tasks in between.
    /// Comes back after a lost connection; never ends by itself.
    /// </summary>
    /// <param name="lost">Is told, once each time, that there is no connection and it is waited for.</param>
    public async IAsyncEnumerable<MediaEvent> WatchAsync(
        string mediaId, Action<CliException> lost, [EnumeratorCancellation] CancellationToken cancel)
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), clock);
        var failures = 0;
        while (true)
        {
            await using var events = ReadEventsAsync(mediaId, cancel).GetAsyncEnumerator(cancel);
            while (true)
            {
                try
                {
                    if (!await events.MoveNextAsync())
                    {
                        break;
                    }
                }
                catch (Exception broken) when (broken is HttpRequestException or IOException)
                {
                    if (failures == MaxReconnects)
                    {
                        throw Unreachable(broken);
                    }

                    // The first may be no more than a connection that ended.
                    if (failures == 1)
                    {
                        lost(Unreachable(broken));
                    }

                    break;
                }

                failures = 0;
                backoff.Reset();
                yield return events.Current;
            }

            failures++;
            await backoff.WaitAsync(cancel);
        }
    }

    private async IAsyncEnumerable<MediaEvent> ReadEventsAsync(
        string mediaId, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var answer = await Http.GetAsync(
            $"{MediaPath(mediaId)}/events", HttpCompletionOption.ResponseHeadersRead, cancel);
        if (!answer.IsSuccessStatusCode)
        {
            throw await RefusalAsync(answer, cancel);
        }

        await using var body = await answer.Content.ReadAsStreamAsync(cancel);
        await foreach (var item in SseParser.Create(body).EnumerateAsync(cancel))
        {
            switch (item.EventType)
            {
                case "media":
                    yield return new MediaEvent(JsonSerializer.Deserialize<MediaDocument>(item.Data, Wire.Json), null);
                    break;
                case "progress":
                    yield return new MediaEvent(
                        null, JsonSerializer.Deserialize<TaskProgress>(item.Data, Wire.Json)?.Tasks);
                    break;
            }
        }
    }
}

/// <summary>Either the media after a durable change, or its tasks as they stand.</summary>
internal sealed record MediaEvent(MediaDocument? Media, IReadOnlyList<TaskFacts>? Tasks);
