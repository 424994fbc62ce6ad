using Hexcast.App.Client;

namespace Hexcast.App.Progress;

/// <summary>What a person sees a media go through, in this order.</summary>
internal enum Stage
{
    Upload,
    Probe,
    Video,
    Audio,
    Images,
    Publish,
}

/// <summary>How far each stage is, from one media's events. A stage never goes back, whatever is retried.</summary>
internal sealed class StageProgress
{
    private readonly double[] fractions = new double[Enum.GetValues<Stage>().Length];

    /// <summary>0 to 1.</summary>
    public double this[Stage stage] => fractions[(int)stage];

    /// <summary>Media seconds a second, of all running encoders together; null before any has said so.</summary>
    public double? Speed { get; private set; }

    /// <summary>The source has no sound: there is nothing to wait for.</summary>
    public bool IsSilent { get; private set; }

    public void Uploaded(long bytes, long ofBytes) =>
        Raise(Stage.Upload, ofBytes == 0 ? 1 : (double)bytes / ofBytes);

    public void Apply(MediaEvent happened)
    {
        if (happened.Media is { } media)
        {
            Apply(media);
        }

        if (happened.Tasks is { } tasks)
        {
            Apply(tasks);
        }
    }

    private void Apply(MediaDocument media)
    {
        Raise(Stage.Upload, 1);
        if (media.Source is { } source)
        {
            Raise(Stage.Probe, 1);
            IsSilent = source.AudioCodec is null;
            if (IsSilent)
            {
                Raise(Stage.Audio, 1);
            }
        }

        if (media.IsReady)
        {
            foreach (var stage in Enum.GetValues<Stage>())
            {
                Raise(stage, 1);
            }
        }
    }

    private void Apply(IReadOnlyList<TaskFacts> tasks)
    {
        foreach (var group in tasks.GroupBy(t => StageOf(t.Kind)).Where(g => g.Key is not null))
        {
            Raise(group.Key!.Value, group.Average(Done));
        }

        var speeds = tasks.Where(t => t is { State: "running", Speed: > 0 }).Select(t => t.Speed!.Value).ToList();
        if (speeds.Count > 0)
        {
            Speed = speeds.Sum();
        }
    }

    private static double Done(TaskFacts task) => task.State == "committed" ? 1 : Math.Clamp(task.Fraction ?? 0, 0, 1);

    private static Stage? StageOf(string kind) => kind switch
    {
        "probe" => Stage.Probe,
        "encode_chunk" => Stage.Video,
        "encode_audio" => Stage.Audio,
        "poster" or "storyboard" or "subtitles" => Stage.Images,
        "publish" => Stage.Publish,
        // A kind of a later server: it has no bar, and the rest goes on.
        _ => null,
    };

    private void Raise(Stage stage, double fraction) =>
        fractions[(int)stage] = Math.Max(fractions[(int)stage], Math.Clamp(fraction, 0, 1));
}
