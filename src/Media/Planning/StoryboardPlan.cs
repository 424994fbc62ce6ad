namespace Hexcast.Media.Planning;

/// <summary>
/// Which pictures a storyboard has and how they lie on its sheets. Follows from the plan alone: every so many GOPs of
/// the version one, so that only key frames of its smallest rendition are decoded, and each time is a frame's own.
/// </summary>
public sealed record StoryboardPlan
{
    /// <summary>A picture every 2 s for 13 minutes; every 18 s for two hours.</summary>
    public const int MaxPictures = 400;

    public const int MaxColumns = 10;
    public const int MaxRows = 10;
    public const int MaxSheets = MaxPictures / (MaxColumns * MaxRows);

    public const int TileWidth = 160;

    /// <summary>An upright 9:16 picture of 160 pixels' width; narrower ones become narrower.</summary>
    public const int MaxTileHeight = 284;

    /// <summary>The rendition that the pictures are taken from.</summary>
    public required string RenditionId { get; init; }

    public required int Width { get; init; }
    public required int Height { get; init; }
    public required int Columns { get; init; }
    public required int Rows { get; init; }

    /// <summary>In order; each lies in a segment of its own or in the one of the picture before it.</summary>
    public required IReadOnlyList<StoryboardPicture> Pictures { get; init; }

    public int Sheets => (Pictures.Count + (Columns * Rows) - 1) / (Columns * Rows);

    public static StoryboardPlan Of(TranscodePlan plan)
    {
        var gops = plan.Chunks.SelectMany(c => c.Segments)
            .SelectMany(s => s.GopStartPts.Select((pts, i) => (Segment: s.Number, Gop: i, Pts: pts))).ToList();
        var step = (gops.Count + MaxPictures - 1) / MaxPictures;
        var chosen = gops.Where((_, i) => i % step == 0).ToList();
        var smallest = plan.Video.MinBy(v => (long)v.Width * v.Height)!;
        var (width, height) = Fit(smallest.Width, smallest.Height);
        var columns = Math.Min(chosen.Count, MaxColumns);
        return new StoryboardPlan
        {
            RenditionId = smallest.Id,
            Width = width,
            Height = height,
            Columns = columns,
            Rows = Math.Min((chosen.Count + columns - 1) / columns, MaxRows),
            Pictures =
            [
                .. chosen.Select((gop, i) => new StoryboardPicture(
                    gop.Segment, gop.Gop,
                    // What is before the first frame shows it too.
                    i == 0 ? 0 : Seconds(gop.Pts),
                    i + 1 < chosen.Count ? Seconds(chosen[i + 1].Pts) : plan.DurationSeconds)),
            ],
        };

        double Seconds(long pts) => plan.SourceTimeBase.Seconds(pts - plan.OriginPts);
    }

    private static (int Width, int Height) Fit(int width, int height)
    {
        var scale = Math.Min((double)TileWidth / width, (double)MaxTileHeight / height);
        return (Even(width * scale), Even(height * scale));

        static int Even(double side) => Math.Max(2, (int)Math.Round(side / 2) * 2);
    }
}

/// <summary>The key frame that begins a GOP of a segment, and from when to when it stands for the video.</summary>
public readonly record struct StoryboardPicture(int Segment, int Gop, double StartSeconds, double EndSeconds);
