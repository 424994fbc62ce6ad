namespace Hexcast.Media.Presets;

public sealed partial record Preset
{
    public const int MaxRungs = 16;

    private static readonly string[] X264Presets =
        ["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"];
    private static readonly string[] Profiles = ["baseline", "main", "high"];

    // What the AAC encoder accepts and browsers play.
    private static readonly int[] SampleRates = [22_050, 24_000, 32_000, 44_100, 48_000];

    /// <summary>Every problem, named by its YAML key; empty when the preset can be used.</summary>
    public IReadOnlyList<string> Validate()
    {
        var problems = new List<string>();
        Require(IsName(Name), "name: use 1 to 64 of a-z, 0-9, _ and -");
        Require(Video is { Count: >= 1 and <= MaxRungs }, $"video: give 1 to {MaxRungs} rungs");
        var rungs = (Video ?? []).Where(r => r is not null).ToList();
        Require(rungs.Count == (Video?.Count ?? 0), "video: a rung is empty");
        Require(rungs.Select(r => r.Height).Distinct().Count() == rungs.Count, "video: two rungs have the same height");
        foreach (var rung in rungs)
        {
            var at = $"video[{rung.Height}]";
            Require(rung.Height is >= 96 and <= 4320 && rung.Height % 2 == 0,
                $"{at}.height: an even number, 96 to 4320");
            Require(rung.MaxBitrateKbps is >= 50 and <= 100_000, $"{at}.max_bitrate_kbps: 50 to 100000");
            Require(rung.Crf is >= 0 and <= 51, $"{at}.crf: 0 to 51");
            Require(X264Presets.Contains(rung.X264Preset, StringComparer.Ordinal),
                $"{at}.x264_preset: one of {string.Join(", ", X264Presets)}");
            Require(Profiles.Contains(rung.Profile, StringComparer.Ordinal),
                $"{at}.profile: one of {string.Join(", ", Profiles)}");
        }
        Require(Audio?.BitrateKbps is >= 32 and <= 512, "audio.bitrate_kbps: 32 to 512");
        Require(SampleRates.Contains(Audio?.SampleRateHz ?? 0),
            $"audio.sample_rate_hz: one of {string.Join(", ", SampleRates)}");
        Require(Audio?.Channels is 1 or 2, "audio.channels: 1 or 2");
        Require(Gop >= TimeSpan.FromSeconds(0.5) && Gop <= TimeSpan.FromSeconds(10), "gop: 0.5 to 10 seconds");
        Require(Segment >= TimeSpan.FromSeconds(1) && Segment <= TimeSpan.FromSeconds(20), "segment: 1 to 20 seconds");
        Require(Gop > TimeSpan.Zero && Segment.Ticks % Gop.Ticks == 0, "segment: must be a whole number of gop");
        Require(Gop > TimeSpan.Zero && (FirstSegment is not { } first
            || (first > TimeSpan.Zero && first <= Segment && first.Ticks % Gop.Ticks == 0)),
            "first_segment: a whole number of gop, at most segment");
        return problems;

        void Require(bool holds, string problem)
        {
            if (!holds)
            {
                problems.Add(problem);
            }
        }
    }

    private static bool IsName(string? name) => name is { Length: >= 1 and <= 64 }
        && name.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '_' or '-');
}
