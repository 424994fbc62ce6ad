using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Hexcast.Catalog.Delivery;
using Hexcast.Catalog.Versions;
using Hexcast.Contracts;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.ObjectStore;
using Hexcast.Platform.Presets;

namespace Hexcast.Catalog;

/// <summary>What changes a media, other than its job.</summary>
internal sealed class MediaCommands(CatalogStore store, IObjectStore objects)
{
    public const int TitleLimit = 300;
    public const int TagLimit = 32;
    public const int TagLengthLimit = 64;
    public const int FilenameLimit = 255;

    /// <summary>Idempotent: the upload repeats it until it has an answer.</summary>
    public async Task<MediaRow> CompleteUploadAsync(CompleteUploadRequest request, CancellationToken cancel)
    {
        if (!MediaId.TryParse(request.MediaId, out _))
        {
            throw Bad($"'{request.MediaId}' is no media id.");
        }

        var source = request.Source;
        if (source?.Key != ObjectKey.Source(request.MediaId) || source.Length <= 0 || source.Sha256.Length != 32)
        {
            throw Bad("source must name the media's own source object with its length and SHA-256.");
        }

        // Before its object is looked for, which went with it: only this answer ends the upload's repeating.
        if (store.Read(connection => MediaTable.IsDeleted(connection, request.MediaId)))
        {
            throw Deleted(request.MediaId);
        }

        if (store.Find(request.MediaId) is null
            && (await objects.StatAsync(source.Key, cancel))?.Length is var length && length != source.Length)
        {
            throw Bad($"The object {source.Key} has {length ?? 0} bytes, not {source.Length}.");
        }

        var filename = Text("filename", request.Filename, FilenameLimit);
        var title = Text("title", request.Title.Trim(), TitleLimit);
        var tags = Tags(request.Tags);
        var policy = Policy(request.Policy.Length == 0 ? Policies.Public : request.Policy);
        var tenant = request.Tenant.Length == 0 ? Principal.DefaultTenant : request.Tenant;
        return await store.WriteAsync(
            write =>
            {
                if (write.Find(request.MediaId) is { } known)
                {
                    return known.Sha256.AsSpan().SequenceEqual(source.Sha256.Span)
                        ? known
                        : throw new HexcastException(
                            ErrorCodes.Conflict, $"Media {request.MediaId} is there already, with other content.");
                }

                if (write.IsDeleted(request.MediaId))
                {
                    throw Deleted(request.MediaId);
                }

                write.AddToOutbox(request.MediaId, OutboxKinds.Uploaded);
                return write.Insert(new MediaRow
                {
                    MediaId = request.MediaId,
                    State = MediaState.Uploaded,
                    Title = title.Length > 0 ? title : TitleFrom(filename),
                    Filename = filename,
                    Tags = tags,
                    Policy = policy,
                    Tenant = tenant,
                    Preset = request.Preset.Length == 0 ? PresetCatalog.Default : request.Preset,
                    Class = request.Class.Length == 0 ? TaskClass.Default : request.Class,
                    Traceparent = request.Traceparent,
                    SizeBytes = source.Length,
                    Sha256 = source.Sha256.ToByteArray(),
                    SourceKey = source.Key,
                    CreatedAt = write.Now,
                    UpdatedAt = write.Now,
                    RowVersion = 1,
                });
            },
            cancel);
    }

    /// <param name="expectedRowVersion">If-Match; null changes whatever is there.</param>
    public Task<MediaRow> EditAsync(string mediaId, MediaEdit edit, long? expectedRowVersion, CancellationToken cancel)
    {
        var title = edit.Title is null ? null : Text("title", edit.Title.Trim(), TitleLimit);
        var tags = edit.Tags is null ? null : Tags(edit.Tags);
        var policy = edit.Policy is null ? null : Policy(edit.Policy);
        return store.WriteAsync(
            write =>
            {
                var media = Require(write, mediaId, expectedRowVersion);
                return write.Update(
                    media with
                    {
                        Title = title is { Length: 0 } ? TitleFrom(media.Filename) : title ?? media.Title,
                        Tags = tags ?? media.Tags,
                        Policy = policy ?? media.Policy,
                    },
                    searchable: true);
            },
            cancel);
    }

    /// <summary>Gone when it answers; its job and its objects follow by the outbox.</summary>
    public Task<bool> DeleteAsync(string mediaId, long? expectedRowVersion, CancellationToken cancel) =>
        store.WriteAsync(
            write =>
            {
                write.Delete(Require(write, mediaId, expectedRowVersion));
                write.AddToOutbox(mediaId, OutboxKinds.Deleted);
                return true;
            },
            cancel);

    /// <summary>Lets the follower look at the job again before the master is asked to restart it.</summary>
    /// <returns>The job's cursor.</returns>
    public Task<long> FollowAgainAsync(string version, CancellationToken cancel) =>
        store.WriteAsync(
            write =>
            {
                VersionTable.Follow(write, version, following: true);
                return VersionTable.Find(write.Connection, version, write.Transaction)?.Cursor ?? 0;
            },
            cancel);

    /// <summary>
    /// The master has taken the restart: the media is no longer failed, also before the follower hears of it. If it has
    /// heard more by now, or another retry was quicker, that stands.
    /// </summary>
    public Task<MediaRow> RestartAsync(string mediaId, string version, long cursor, CancellationToken cancel) =>
        store.WriteAsync(
            write =>
            {
                var media = Require(write, mediaId, expectedRowVersion: null);
                return IsFailed(media, version)
                    && VersionTable.Find(write.Connection, version, write.Transaction)?.Cursor == cursor
                    ? write.Update(media with { State = MediaState.Processing, Error = null })
                    : media;
            },
            cancel);

    /// <summary>Orders the media anew, as if it had just been uploaded, unless another retry was quicker.</summary>
    /// <param name="failedJob">The job that the caller saw fail; null when there was none.</param>
    public Task<MediaRow> OrderAgainAsync(string mediaId, string? failedJob, CancellationToken cancel) =>
        store.WriteAsync(
            write =>
            {
                var media = Require(write, mediaId, expectedRowVersion: null);
                if (!IsFailed(media, failedJob))
                {
                    return media;
                }

                if (failedJob is not null)
                {
                    VersionTable.Follow(write, failedJob, following: false);
                }

                write.AddToOutbox(mediaId, OutboxKinds.Uploaded);
                return write.Update(media with { State = MediaState.Uploaded, JobId = null, Error = null });
            },
            cancel);

    private static bool IsFailed(MediaRow media, string? job) =>
        media.State == MediaState.Failed && media.JobId == job;

    private static MediaRow Require(CatalogTransaction write, string mediaId, long? expectedRowVersion)
    {
        var media = write.Find(mediaId)
            ?? throw new HexcastException(ErrorCodes.NotFound, $"There is no media '{mediaId}'.");
        return expectedRowVersion is null || media.RowVersion == expectedRowVersion
            ? media
            : throw new HexcastException(
                ErrorCodes.PreconditionFailed,
                $"The media has changed: it is at \"{media.RowVersion}\". Read it again, then repeat the change.");
    }

    private static string TitleFrom(string filename) =>
        Path.GetFileNameWithoutExtension(filename) is { Length: > 0 } name ? name : "Untitled";

    private static string[] Tags(IReadOnlyCollection<string> tags)
    {
        string[] distinct = [.. tags.Select(tag => Text("tags", (tag ?? "").Trim(), TagLengthLimit))
            .Where(tag => tag.Length > 0).Distinct(StringComparer.Ordinal)];
        return distinct.Length <= TagLimit ? distinct : throw Bad($"tags holds more than {TagLimit} tags.");
    }

    private static string Policy(string policy) => policy is Policies.Public or Policies.Signed
        ? policy
        : throw Bad($"policy '{policy}' is not known. There are: {Policies.Public}, {Policies.Signed}.");

    private static string Text(string name, string text, int limit) =>
        text.Length > limit ? throw Bad($"{name} is longer than {limit} characters.")
        : text.Any(char.IsControl) ? throw Bad($"{name} holds a control character.")
        : text;

    private static HexcastException Deleted(string mediaId) =>
        new(ErrorCodes.NotFound, $"Media {mediaId} was deleted.");

    private static HexcastException Bad(string message) => new(ErrorCodes.InvalidArgument, message);
}

/// <summary>Null leaves as it is.</summary>
internal sealed record MediaEdit
{
    [Description("Empty makes it the filename's again.")]
    [MaxLength(MediaCommands.TitleLimit)]
    public string? Title { get; init; }

    [Description("All of them, of 64 characters each.")]
    [MaxLength(MediaCommands.TagLimit)]
    public IReadOnlyList<string>? Tags { get; init; }

    [AllowedValues(Policies.Public, Policies.Signed, null)]
    public string? Policy { get; init; }
}
