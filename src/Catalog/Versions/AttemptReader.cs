using System.Security.Cryptography;
using Google.Protobuf;
using Hexcast.Contracts.V1;
using Hexcast.Media;
using Hexcast.Media.IsoBmff;
using Hexcast.Media.Subtitles;
using Hexcast.Platform.ObjectStore;
using RenditionIndex = Hexcast.Contracts.V1.RenditionIndex;
using Stored = Hexcast.Media.Manifests;
using TrackKind = Hexcast.Contracts.V1.TrackKind;

namespace Hexcast.Catalog.Versions;

/// <summary>
/// Reads what a task's commit names: the attempt's segment index, checked against the hash in the commit, and that the
/// objects it speaks of are there with their length (I4).
/// </summary>
internal sealed class AttemptReader(IObjectStore objects)
{
    /// <summary>The part, or why it cannot be used. An I/O error is thrown: it may pass.</summary>
    public async Task<(StoredPart? Part, string Why)> ReadAsync(
        string versionPrefix, TaskCommitted committed, CancellationToken cancel)
    {
        var named = committed.Result;
        var (index, why) = await ReadAsync(
            versionPrefix, named, AttemptIndex.MaxJsonBytes, json => AttemptIndex.FromJson(json), cancel);
        if (index is null)
        {
            return (null, why);
        }

        if (index.Task != committed.TaskId || index.Attempt != committed.Attempt)
        {
            return (null, $"its index is of {index.Task}, attempt {index.Attempt}.");
        }

        var folder = named.Key[..(named.Key.LastIndexOf('/') + 1)];
        foreach (var rendition in index.Renditions)
        {
            var found = await objects.StatAsync(folder + rendition.ObjectName, cancel);
            if (found?.Length != rendition.ObjectLength)
            {
                return (null, $"{rendition.ObjectName} has {found?.Length ?? 0} bytes, not {rendition.ObjectLength}.");
            }
        }

        return (Convert(index, folder), "");
    }

    /// <summary>The storyboard, or why it cannot be used.</summary>
    public async Task<(StoredPart? Part, string Why)> ReadStoryboardAsync(
        string versionPrefix, ObjectRef named, CancellationToken cancel)
    {
        var (index, why) = await ReadAsync(
            versionPrefix, named, Stored.StoryboardIndex.MaxJsonBytes, json => Stored.StoryboardIndex.FromJson(json),
            cancel);
        if (index is null)
        {
            return (null, why);
        }

        var storyboard = new StoryboardIndex
        {
            TileWidth = index.TileWidth,
            TileHeight = index.TileHeight,
            Columns = index.Columns,
            Rows = index.Rows,
            StartSeconds = { index.StartSeconds },
            EndSeconds = index.EndSeconds,
            Sheets = { index.Sheets.Select(sheet => Beside(named, sheet)) },
        };
        return await LackingAsync(storyboard.Sheets, cancel) is { } lacking
            ? (null, lacking)
            : (new StoredPart { Storyboard = storyboard }, "");
    }

    /// <summary>The text tracks, or why they cannot be used.</summary>
    public async Task<(StoredPart? Part, string Why)> ReadSubtitlesAsync(
        string versionPrefix, ObjectRef named, CancellationToken cancel)
    {
        var (index, why) = await ReadAsync(
            versionPrefix, named, SubtitleIndex.MaxJsonBytes, json => SubtitleIndex.FromJson(json), cancel);
        if (index is null)
        {
            return (null, why);
        }

        var subtitles = new StoredSubtitles
        {
            Tracks =
            {
                index.Tracks.Select(stored => new SubtitleTrack
                {
                    Id = stored.Track.Id,
                    Language = stored.Track.Language,
                    Label = stored.Track.Label,
                    IsDefault = stored.Track.IsDefault,
                    IsForced = stored.Track.IsForced,
                    Text = Beside(named, stored.File),
                }),
            },
            Skipped =
            {
                index.Skipped.Select(left => new SkippedSubtitle
                {
                    Codec = left.Codec, Language = left.Language, Reason = left.Reason,
                }),
            },
        };
        return await LackingAsync(subtitles.Tracks.Select(track => track.Text), cancel) is { } lacking
            ? (null, lacking)
            : (new StoredPart { Subtitles = subtitles }, "");
    }

    public async Task<bool> IsThereAsync(ObjectRef? named, CancellationToken cancel) =>
        named is not null && (await objects.StatAsync(named.Key, cancel))?.Length == named.Length;

    /// <summary>An index that a commit names, checked against the commit.</summary>
    private async Task<(TIndex? Index, string Why)> ReadAsync<TIndex>(
        string versionPrefix, ObjectRef? named, int limitBytes, Func<byte[], TIndex> parse, CancellationToken cancel)
        where TIndex : class
    {
        if (named is null || !named.Key.StartsWith(versionPrefix, StringComparison.Ordinal))
        {
            return (null, "its index does not lie under the version.");
        }

        if (named.Length <= 0 || named.Length > limitBytes)
        {
            return (null, $"its index of {named.Length} bytes is empty or over {limitBytes} bytes.");
        }

        var json = await ReadWholeAsync(named, cancel);
        if (json is null || !SHA256.HashData(json).AsSpan().SequenceEqual(named.Sha256.Span))
        {
            return (null, $"the object {named.Key} is not there, or not what the commit says.");
        }

        try
        {
            return (parse(json), "");
        }
        catch (MediaException bad)
        {
            return (null, bad.Message);
        }
    }

    private async Task<string?> LackingAsync(IEnumerable<ObjectRef> named, CancellationToken cancel)
    {
        foreach (var one in named)
        {
            if (!await IsThereAsync(one, cancel))
            {
                return $"the object {one.Key} is not there, or has another length.";
            }
        }

        return null;
    }

    private static ObjectRef Beside(ObjectRef index, Stored.StoredFile file) => new()
    {
        Key = index.Key[..(index.Key.LastIndexOf('/') + 1)] + file.Name,
        Length = file.Length,
        Sha256 = ByteString.CopyFrom(System.Convert.FromHexString(file.Sha256)),
    };

    private async Task<byte[]?> ReadWholeAsync(ObjectRef named, CancellationToken cancel)
    {
        var content = await objects.OpenReadAsync(named.Key, 0, cancel);
        if (content is null)
        {
            return null;
        }

        await using (content)
        {
            var bytes = new byte[named.Length];
            var read = await content.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel);
            return read == bytes.Length ? bytes : null;
        }
    }

    public static StoredPart Convert(AttemptIndex index, string folder)
    {
        var part = new StoredPart();
        part.Renditions.AddRange(index.Renditions.Select(rendition => Convert(rendition, folder)));
        return part;
    }

    private static StoredRendition Convert(Media.IsoBmff.RenditionIndex source, string folder)
    {
        var part = new RenditionPart
        {
            ObjectKey = folder + source.ObjectName,
            ObjectLength = source.ObjectLength,
            FirstSegment = source.FirstSegmentNumber,
        };
        foreach (var segment in source.Segments)
        {
            part.Offsets.Add(segment.Offset);
            part.Lengths.Add(segment.Length);
            part.Starts.Add(segment.Start);
            part.Durations.Add(segment.Duration);
        }

        var index = new RenditionIndex
        {
            Id = source.Id,
            Kind = source.Kind == Media.IsoBmff.TrackKind.Audio ? TrackKind.Audio : TrackKind.Video,
            Codec = source.Codec,
            Width = source.Width,
            Height = source.Height,
            FrameRate = source.FrameRate,
            Channels = source.Channels,
            SampleRateHz = source.SampleRateHz,
            Timescale = source.Timescale,
            InitOffset = source.InitOffset,
            InitLength = source.InitLength,
        };
        index.Parts.Add(part);
        return new StoredRendition
        {
            Index = index,
            InitSha256 = ByteString.CopyFrom(System.Convert.FromHexString(source.InitSha256)),
        };
    }
}
