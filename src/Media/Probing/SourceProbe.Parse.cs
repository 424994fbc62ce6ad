using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Hexcast.Media.Probing;

public sealed partial record SourceProbe
{
    /// <summary>Reads what <see cref="ProbeArguments.Streams"/> prints.</summary>
    /// <exception cref="MediaException">The source cannot be used, or this is not ffprobe's output.</exception>
    public static SourceProbe Parse(string streamsJson)
    {
        if (Encoding.UTF8.GetByteCount(streamsJson) > SourceLimits.MaxProbeJsonBytes)
        {
            throw new MediaException(MediaErrorCode.SourceTooLarge,
                "The description of the file's streams is over 16 MiB. Remux it with only its video and sound.");
        }
        try
        {
            using var document = JsonDocument.Parse(streamsJson, new JsonDocumentOptions { MaxDepth = 32 });
            return Read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new MediaException(MediaErrorCode.ProbeUnreadable, "ffprobe did not print what was expected.", e);
        }
    }

    /// <summary>What it means that ffprobe gave up with these words.</summary>
    public static MediaException Failure(string standardError, long sizeBytes)
    {
        if (sizeBytes == 0)
        {
            return new MediaException(MediaErrorCode.SourceNotMedia, "The file is empty. Upload it again.");
        }
        if (standardError.Contains("not on whitelist", StringComparison.Ordinal))
        {
            return new MediaException(MediaErrorCode.SourceUnsupportedFormat,
                "The file is a playlist or another format that refers to other files. Upload the video itself.");
        }
        if (standardError.Contains("moov atom not found", StringComparison.Ordinal)
            || standardError.Contains("EBML header parsing failed", StringComparison.Ordinal)
            || standardError.Contains("End of file", StringComparison.Ordinal))
        {
            return new MediaException(MediaErrorCode.SourceNotMedia,
                "The file is not a video, or it was cut off before its index. "
                + "Check that it plays, then upload it again.");
        }
        return new MediaException(MediaErrorCode.SourceNotMedia,
            "The file is not a video in a known container. Upload MP4, MOV, Matroska, WebM, MPEG-TS, AVI, FLV or MXF.");
    }

    private static SourceProbe Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("format", out var format)
            || !root.TryGetProperty("streams", out var streams) || Text(format, "format_name") is not { } name)
        {
            throw new MediaException(MediaErrorCode.SourceNotMedia,
                "ffprobe recognised no container. Check that the file plays, then upload it again.");
        }
        if (streams.GetArrayLength() > SourceLimits.MaxStreams)
        {
            throw new MediaException(MediaErrorCode.SourceTooLarge,
                $"The file has over {SourceLimits.MaxStreams} streams. Remux it with only its video and sound.");
        }
        VideoStream? video = null;
        AudioStream? audio = null;
        var audioIsDefault = false;
        List<SubtitleStream> subtitles = [];
        foreach (var stream in streams.EnumerateArray())
        {
            switch (Text(stream, "codec_type"))
            {
                case "video" when video is null && !Disposition(stream, "attached_pic"):
                    video = ReadVideo(stream);
                    break;
                case "audio" when audio is null || (!audioIsDefault && Disposition(stream, "default")):
                    // Sound that cannot be decoded is left out; the video is still worth having.
                    if (ReadAudio(stream) is { } found)
                    {
                        audio = found;
                        audioIsDefault = Disposition(stream, "default");
                    }
                    break;
                case "subtitle":
                    subtitles.Add(ReadSubtitle(stream));
                    break;
            }
        }
        return new SourceProbe
        {
            FormatName = name,
            DurationSeconds = Seconds(format, "duration"),
            SizeBytes = Whole(format, "size") ?? 0,
            Video = video,
            Audio = audio,
            Subtitles = subtitles,
        };
    }

    private static VideoStream ReadVideo(JsonElement stream)
    {
        var codec = Text(stream, "codec_name");
        int width = Int(stream, "width") ?? 0, height = Int(stream, "height") ?? 0;
        if (codec is null or "unknown" or "none" || width <= 0 || height <= 0)
        {
            throw new MediaException(MediaErrorCode.SourceUnsupportedFormat,
                "The video's codec is unknown or its first pictures are missing. "
                + "Convert it to H.264 and upload it again.");
        }
        var rotation = Rotation(stream);
        var square = Rational.TryParsePositive(Text(stream, "sample_aspect_ratio")) is { } sar
            ? (long)Math.Round(width * sar.ToDouble()) : width;
        var (shownWidth, shownHeight) = rotation is 90 or 270 ? (height, square) : (square, (long)height);
        var (least, most) = (Math.Min(shownWidth, shownHeight), Math.Max(shownWidth, shownHeight));
        if (Math.Max(most, width) > SourceLimits.MaxDimension)
        {
            throw new MediaException(MediaErrorCode.SourceTooLarge,
                $"The picture is {shownWidth}x{shownHeight}; "
                + $"at most {SourceLimits.MaxDimension} a side can be handled.");
        }
        if (least < SourceLimits.MinDimension)
        {
            throw new MediaException(MediaErrorCode.SourceUnsupportedFormat,
                $"The picture is {shownWidth}x{shownHeight}; at least {SourceLimits.MinDimension} a side are needed.");
        }
        return new VideoStream
        {
            Index = Int(stream, "index") ?? 0,
            Codec = codec,
            Width = (int)shownWidth,
            Height = (int)shownHeight,
            TimeBase = Rational.TryParsePositive(Text(stream, "time_base"))
                ?? throw new MediaException(MediaErrorCode.SourceUnsupportedFormat,
                    "The video has no time base. Remux it."),
            DurationSeconds = Seconds(stream, "duration"),
            FrameRate = Rational.TryParsePositive(Text(stream, "avg_frame_rate")),
            PixelFormat = Text(stream, "pix_fmt"),
            ColorRange = Text(stream, "color_range"),
            ColorSpace = Text(stream, "color_space"),
            ColorTransfer = Text(stream, "color_transfer"),
            ColorPrimaries = Text(stream, "color_primaries"),
            RotationDegrees = rotation,
            Interlaced = Text(stream, "field_order") is "tt" or "bb" or "tb" or "bt",
        };
    }

    private static AudioStream? ReadAudio(JsonElement stream)
    {
        var rate = (int)Math.Min(Whole(stream, "sample_rate") ?? 0, int.MaxValue);
        var channels = Int(stream, "channels") ?? 0;
        return Text(stream, "codec_name") is { } codec and not ("unknown" or "none") && rate > 0 && channels > 0
            ? new AudioStream
            {
                Index = Int(stream, "index") ?? 0,
                Codec = codec,
                SampleRateHz = rate,
                Channels = channels,
                StartSeconds = Seconds(stream, "start_time"),
            }
            : null;
    }

    private static SubtitleStream ReadSubtitle(JsonElement stream)
    {
        var hasTags = stream.TryGetProperty("tags", out var tags) && tags.ValueKind == JsonValueKind.Object;
        return new SubtitleStream
        {
            Index = Int(stream, "index") ?? 0,
            Codec = Text(stream, "codec_name") ?? "unknown",
            Language = hasTags ? Text(tags, "language") : null,
            Title = hasTags ? Text(tags, "title") ?? Handler(tags) : null,
            IsDefault = Disposition(stream, "default"),
            IsForced = Disposition(stream, "forced"),
        };
    }

    // MP4 has no other place for a title; most programs write their own name there.
    private static string? Handler(JsonElement tags) => Text(tags, "handler_name") is { } name
        && !name.Contains("handler", StringComparison.OrdinalIgnoreCase)
        && !name.Contains("media", StringComparison.OrdinalIgnoreCase) ? name : null;

    // ffprobe prints the display matrix's angle counter-clockwise; players turn by its negative.
    private static int Rotation(JsonElement stream)
    {
        if (!stream.TryGetProperty("side_data_list", out var list) || list.ValueKind != JsonValueKind.Array)
        {
            return 0;
        }
        foreach (var item in list.EnumerateArray())
        {
            if (item.ValueKind == JsonValueKind.Object && item.TryGetProperty("rotation", out var angle)
                && angle.ValueKind == JsonValueKind.Number && angle.TryGetDouble(out var degrees)
                && Math.Abs(degrees) <= 360)
            {
                var quarters = (int)Math.Round(-degrees / 90);
                return (((quarters % 4) + 4) % 4) * 90;
            }
        }
        return 0;
    }

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    // ffprobe prints whole numbers that may be large as text.
    private static long? Whole(JsonElement element, string name) =>
        long.TryParse(Text(element, name), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    private static int? Int(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            && value.TryGetInt32(out var number) ? number : null;

    private static double? Seconds(JsonElement element, string name) =>
        double.TryParse(Text(element, name), NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)
            && double.IsFinite(seconds) && Math.Abs(seconds) < 1e9 ? seconds : null;

    private static bool Disposition(JsonElement stream, string name) =>
        stream.TryGetProperty("disposition", out var all) && all.ValueKind == JsonValueKind.Object
            && Int(all, name) == 1;
}
