using Hexcast.Contracts.V1;

namespace Hexcast.Dashboard.Tests.Support;

/// <summary>Media in every state, with names as people really give them.</summary>
internal static class SampleLibrary
{
    /// <summary>Of one that has others on both sides.</summary>
    public const string MiddleId = "01kb0000000000000000000007";

    public static void Fill(FakeCatalog catalog)
    {
        for (var i = 14; i >= 1; i--)
        {
            Ready(catalog, $"Lecture {i}: {Topics[i % Topics.Length]}", 2700 + (i * 61), "lecture", "autumn 2026");
        }

        Ready(catalog, "Harbour at dawn", 94, "landscape");
        Ready(
            catalog,
            "GX010482_final_FINAL_graded_rec709_from_the_second_camera_on_the_roof_please_use_this_one_v7",
            417, "raw", "roof", "second unit", "graded", "rec709", "october", "please archive");
        catalog.Put("Board meeting, closed session", MediaState.Ready, m =>
        {
            Dress(m, 5403);
            m.Media.Policy = "signed";
        });
        catalog.Put("old_backup.avi", MediaState.Failed, m => m.Media.Error = new MediaError
        {
            Code = "source_truncated",
            Message = "The file ends before its index says: 18 MB of 412 MB are there. Upload it again.",
        });
        catalog.Put("City tour", MediaState.Playable, m =>
        {
            Dress(m, 1260);
            (m.Fraction, m.Stage) = (0.64, "encode");
        });
        catalog.Put("Street market, one take", MediaState.Processing, m =>
        {
            m.Media.DurationSeconds = 372;
            (m.Fraction, m.Stage) = (0.23, "encode");
        });
        catalog.Put("Interview with the night shift", MediaState.Uploaded);
    }

    private static readonly string[] Topics =
        ["compilers", "what a lease is", "consensus", "timestamps", "colour", "why clocks lie", "queues"];

    private static void Ready(FakeCatalog catalog, string title, double seconds, params string[] tags) =>
        catalog.Put(title, MediaState.Ready, m =>
        {
            Dress(m, seconds);
            m.Media.Tags.AddRange(tags);
        });

    private static void Dress(ListedMedia listed, double seconds)
    {
        listed.HasPoster = true;
        listed.Media.DurationSeconds = seconds;
        listed.Media.SizeBytes = (long)(seconds * 580_000);
    }
}
