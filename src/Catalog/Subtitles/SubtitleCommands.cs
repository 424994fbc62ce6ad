using Google.Protobuf;
using Hexcast.Contracts.V1;
using Hexcast.Media;
using Hexcast.Media.Planning;
using Hexcast.Media.Subtitles;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Identity;
using Hexcast.Platform.ObjectStore;

namespace Hexcast.Catalog.Subtitles;

/// <summary>
/// Takes and removes text tracks beside a media. A file is read as a stranger's and written anew; its object's name is
/// never used twice, so that caches may keep it for ever.
/// </summary>
internal sealed class SubtitleCommands(CatalogStore store, IObjectStore objects, IdSource ids)
{
    /// <summary>The media with the track, in place of an earlier one of the language.</summary>
    /// <param name="label">Null: the language's name.</param>
    public async Task<MediaRow> PutAsync(
        string mediaId, string languageTag, string? label, bool isDefault, byte[] file, CancellationToken cancel)
    {
        var language = Language(languageTag);
        var text = Clean(file);
        var name = ids.NewVersionId();
        var key = $"{ObjectKey.MediaPrefix(mediaId)}subtitles/{name}.vtt";
        var track = new SubtitleTrack
        {
            Id = $"{SubtitlePlans.IdPrefix}{language.ToLowerInvariant()}-{name}",
            Language = language,
            Label = SubtitlePlans.Label(label) is { Length: > 0 } given ? given : Languages.Name(language),
            IsDefault = isDefault,
            Text = new ObjectRef { Key = key, Length = text.Length, Sha256 = await StoreAsync(key, text, cancel) },
        };
        try
        {
            var (media, replaced) = await store.WriteAsync(write => Put(write, mediaId, track), cancel);
            await RemoveAsync(replaced, cancel);
            return media;
        }
        catch (HexcastException)
        {
            // The media is gone, or has too many: nobody names the object.
            await objects.DeleteAsync(key, CancellationToken.None);
            throw;
        }
    }

    public async Task DeleteAsync(string mediaId, string languageTag, CancellationToken cancel)
    {
        var language = Language(languageTag);
        var removed = await store.WriteAsync(
            write =>
            {
                var media = Require(write, mediaId);
                var track = Find(write, mediaId, language) ?? throw new HexcastException(
                    ErrorCodes.NotFound, $"No subtitles in '{language}' were uploaded for this media.");
                SubtitleTable.Remove(write, mediaId, language);
                write.Update(media);
                return track;
            },
            cancel);
        await RemoveAsync(removed, cancel);
    }

    private static (MediaRow Media, SubtitleTrack? Replaced) Put(
        CatalogTransaction write, string mediaId, SubtitleTrack track)
    {
        var media = Require(write, mediaId);
        var tracks = SubtitleTable.Of(write.Connection, mediaId, write.Transaction);
        var replaced = tracks.FirstOrDefault(t => t.Language == track.Language);
        if (replaced is null && tracks.Count >= SubtitlePlans.MaxTracks)
        {
            throw new HexcastException(
                ErrorCodes.Conflict, $"The media has {SubtitlePlans.MaxTracks} uploaded subtitles. Delete one first.");
        }

        SubtitleTable.Put(write, mediaId, track);
        return (write.Update(media), replaced);
    }

    private static SubtitleTrack? Find(CatalogTransaction write, string mediaId, string language) =>
        SubtitleTable.Of(write.Connection, mediaId, write.Transaction).FirstOrDefault(t => t.Language == language);

    private static MediaRow Require(CatalogTransaction write, string mediaId) =>
        write.Find(mediaId) ?? throw new HexcastException(ErrorCodes.NotFound, $"There is no media '{mediaId}'.");

    // Left behind by a crash in between, it goes with the media.
    private Task RemoveAsync(SubtitleTrack? track, CancellationToken cancel) =>
        track is null ? Task.CompletedTask : objects.DeleteAsync(track.Text.Key, cancel);

    private async Task<ByteString> StoreAsync(string key, byte[] text, CancellationToken cancel)
    {
        await using var writer = await objects.CreateAsync(key, cancel);
        await writer.WriteAsync(text, cancel);
        return ByteString.CopyFrom(await writer.CommitAsync(cancel));
    }

    private static string Language(string tag)
    {
        var language = Languages.Normalize(tag);
        return language != Languages.Undetermined || tag == Languages.Undetermined ? language
            : throw new HexcastException(
                ErrorCodes.InvalidArgument, "The language must be a tag of BCP 47, like en or pt-BR.");
    }

    private static byte[] Clean(byte[] file)
    {
        try
        {
            var cues = SubtitleText.Read(file);
            return cues.Count > 0 ? SubtitleText.Write(cues) : throw new HexcastException(
                ErrorCodes.InvalidArgument, "No subtitles are in it. Send WebVTT or SubRip (.srt) in UTF-8.");
        }
        catch (MediaException unreadable)
        {
            throw new HexcastException(ErrorCodes.InvalidArgument, unreadable.Message, unreadable);
        }
    }
}
