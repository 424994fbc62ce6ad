using System.Security.Cryptography;
using Hexcast.App.Cli;
using Hexcast.App.Client;
using Hexcast.App.Progress;

namespace Hexcast.App.Play;

/// <summary>
/// What <c>play</c> does once the platform runs: nothing is uploaded twice, what a former run left half done is
/// followed to its end, and a new file goes in.
/// </summary>
internal sealed class PlaySession(HexcastClient client, TimeProvider clock, Output output)
{
    /// <summary>More than a person reads; the rest is under ls.</summary>
    private const int MaxListed = 50;

    private readonly UploadSession session = new(client, clock, output);

    /// <returns>When everything that was begun is ready.</returns>
    public async Task RunAsync(string? file, CancellationToken cancel)
    {
        var present = await client.ListAsync(new MediaQuery(), MaxListed, cancel);
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

    private async Task PlayFileAsync(string file, IReadOnlyList<MediaDocument> present, CancellationToken cancel)
    {
        var same = await FindSameAsync(file, present, cancel);
        if (same is null)
        {
            await session.UploadAndFollowAsync(new UploadRequest(file), cancel);
            return;
        }

        output.Say($"this file is here already, as {same.MediaId}; it is not uploaded again.");
        await PlayPresentAsync([same], cancel);
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
        foreach (var media in present.Where(m => !m.IsReady && !m.IsFailed))
        {
            output.Say($"{media.Name}: not ready yet, going on where it stopped");
            await session.FollowAsync(media.MediaId, cancel);
        }

        output.Say(present.Count == 1 ? "In the data folder:" : $"In the data folder, {present.Count} media:");
        foreach (var media in present)
        {
            var now = await client.GetAsync(media.MediaId, cancel);
            output.Say(now.IsPlayable
                ? $"  {client.WatchAddress(now)}  {now.Name}"
                : $"  {now.MediaId}  {now.Name} ({now.State}; ./hexcast show {now.MediaId})");
        }
    }

    // A file counts as the same by its hash; only one of equal size is worth hashing.
    private static async Task<MediaDocument?> FindSameAsync(
        string file, IReadOnlyList<MediaDocument> present, CancellationToken cancel)
    {
        try
        {
            var length = new FileInfo(file).Length;
            var candidates = present.Where(m => m.SizeBytes == length && !m.IsFailed).ToList();
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
            throw new CliException(ExitCode.Usage, $"cannot read {file}: {refused.Message}", refused);
        }
    }
}
