using System.Security.Cryptography;
using System.Text.Json;
using Hexcast.App.Cli;
using Hexcast.App.Client;
using Hexcast.App.Progress;

namespace Hexcast.App.Play;

/// <summary>
/// What <c>play</c> does once the platform runs: nothing is uploaded twice, what a former run left half done is
/// followed to its end, and a new file goes in.
/// </summary>
internal sealed class PlaySession
{
    /// <summary>More than a person reads; the rest is under ls.</summary>
    private const int MaxShown = 50;

    private readonly HexcastClient client;
    private readonly Output output;
    private readonly UploadSession session;
    private readonly List<Followed> media = [];
    private CliException? failed;

    public PlaySession(HexcastClient client, TimeProvider clock, Output output)
    {
        this.client = client;
        this.output = output;
        session = new UploadSession(client, clock, output, media.Add);
    }

    /// <returns>When everything that was begun is at its end and the one document is written.</returns>
    /// <exception cref="CliException">A media failed: the first of them, once all were followed.</exception>
    public async Task RunAsync(string? file, CancellationToken cancel)
    {
        try
        {
            var present = await client.ListAsync(new MediaQuery(), HexcastClient.MaxListed, cancel);
            if (file is not null)
            {
                await PlayFileAsync(file, present, cancel);
            }
            else if (present.Count == 0)
            {
                await PlayClipAsync(cancel);
            }
            else
            {
                await PlayPresentAsync(present, cancel);
            }
        }
        finally
        {
            if (output.Json)
            {
                output.Document(new { client.Address, media });
            }
        }

        if (failed is not null)
        {
            throw new CliException(failed.ExitCode, failed.Message, failed);
        }
    }

    private async Task PlayFileAsync(string file, IReadOnlyList<MediaDocument> present, CancellationToken cancel)
    {
        var same = await FindSameAsync(file, present, cancel);
        if (same is null)
        {
            await session.UploadAndFollowAsync(new UploadRequest(file), cancel);
        }
        else if (same.IsFailed)
        {
            // The same bytes under a new id would fail the same way; a repaired machine or a newer ffmpeg may not.
            output.Say($"this file is here already, as {same.MediaId}, and has failed; its job runs again.");
            await client.RetryAsync(same.MediaId, cancel);
            await session.FollowAsync(same.MediaId, cancel);
        }
        else
        {
            output.Say($"this file is here already, as {same.MediaId}; it is not uploaded again.");
            await PlayPresentAsync([same], cancel);
        }
    }

    private async Task PlayClipAsync(CancellationToken cancel)
    {
        var folder = Directory.CreateTempSubdirectory("hexcast-clip-");
        try
        {
            output.Say($"no FILE: making a test clip with ffmpeg ({TestClip.Description})");
            var clip = await TestClip.MakeAsync(folder.FullName, cancel);
            await session.UploadAndFollowAsync(new UploadRequest(clip, Title: TestClip.Title), cancel);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private async Task PlayPresentAsync(IReadOnlyList<MediaDocument> present, CancellationToken cancel)
    {
        var unfinished = present.Where(m => !m.IsReady && !m.IsFailed).ToList();
        foreach (var one in unfinished)
        {
            output.Say($"{one.Name}: not ready yet, going on where it stopped");
            try
            {
                await session.FollowAsync(one.MediaId, cancel);
            }
            catch (CliException failure) when (failure.ExitCode == ExitCode.MediaFailed)
            {
                failed ??= failure;
            }
        }

        output.Say(present.Count == 1 ? "In the data folder:" : $"In the data folder, {present.Count} media:");
        foreach (var one in present.Take(MaxShown))
        {
            await ShowAsync(one.MediaId, report: !unfinished.Contains(one), cancel);
        }

        if (present.Count > MaxShown)
        {
            output.Say($"  and {present.Count - MaxShown} more: ./hexcast ls");
        }
    }

    private async Task ShowAsync(string mediaId, bool report, CancellationToken cancel)
    {
        var raw = await client.GetRawAsync(mediaId, cancel);
        var now = raw.Deserialize<MediaDocument>(Wire.Json)!;
        output.Say(now.IsPlayable
            ? $"  {client.WatchAddress(now)}  {now.Name}"
            : $"  {now.MediaId}  {now.Name} ({now.State}; ./hexcast show {now.MediaId})");
        if (report)
        {
            media.Add(new Followed(raw));
        }
    }

    // A file counts as the same by its hash; only one of equal size is worth hashing.
    private static async Task<MediaDocument?> FindSameAsync(
        string file, IReadOnlyList<MediaDocument> present, CancellationToken cancel)
    {
        try
        {
            var length = new FileInfo(file).Length;
            var candidates = present.Where(m => m.SizeBytes == length).OrderBy(m => m.IsFailed).ToList();
            if (candidates.Count == 0)
            {
                return null;
            }

            await using var content = File.OpenRead(file);
            var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancel));
            return candidates.FirstOrDefault(m => string.Equals(m.Sha256, hash, StringComparison.OrdinalIgnoreCase));
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Usage, TusUpload.CannotRead(file, refused), refused);
        }
    }
}
