using Hexcast.Catalog.Versions;
using Hexcast.Contracts.V1;

namespace Hexcast.Catalog.Tests;

public sealed class VersionCompositionTests
{
    [Fact]
    public void With_sound_it_is_playable_when_chunk_0_and_the_sound_are_there_in_whatever_order()
    {
        var composition = Planned(chunks: 2, audio: true);
        Stages(composition.Step(Chunk(0))).ShouldBeEmpty();
        Stages(composition.Step(Audio(3))).ShouldBe([VersionStage.Playable]);

        composition = Planned(chunks: 2, audio: true);
        Stages(composition.Step(Audio(3))).ShouldBeEmpty();
        Stages(composition.Step(Chunk(1))).ShouldBeEmpty();
        Stages(composition.Step(Chunk(0))).ShouldBe([VersionStage.Playable]);
    }

    [Fact]
    public void Without_sound_chunk_0_is_enough()
    {
        Stages(Planned(chunks: 2, audio: false).Step(Chunk(0))).ShouldBe([VersionStage.Playable]);
    }

    [Fact]
    public void Done_is_ready_only_when_every_chunk_is_there()
    {
        var composition = Planned(chunks: 2, audio: false);
        composition.Step(Chunk(0));
        Fault(composition.Step(new CompositionEvent.Ended(JobState.Done, null))).Code.ShouldBe("version_inconsistent");

        composition = Planned(chunks: 2, audio: false);
        composition.Step(Chunk(1));
        composition.Step(Chunk(0));
        Stages(composition.Step(new CompositionEvent.Ended(JobState.Done, null))).ShouldBe([VersionStage.Ready]);
    }

    [Fact]
    public void A_failed_job_fails_the_version_in_the_worker_s_words_and_a_restart_takes_up_what_is_there()
    {
        var composition = Planned(chunks: 2, audio: false);
        composition.Step(Chunk(0));
        var failure = new TaskFailure { Code = "encoder_failed", Message = "no", LogTail = "words" };
        Fault(composition.Step(new CompositionEvent.Ended(JobState.Failed, failure)))
            .ShouldBe(new MediaFault("encoder_failed", "no", "words"));
        Stages(composition.Step(new CompositionEvent.Restarted())).ShouldBe([VersionStage.Playable]);
        Stages(Planned(2, audio: false).Step(new CompositionEvent.Restarted())).ShouldBe([VersionStage.Processing]);
    }

    [Fact]
    public void A_chunk_with_another_initialization_does_not_fit()
    {
        var composition = Planned(chunks: 2, audio: false);
        composition.Step(Chunk(0));
        Fault(composition.Step(Chunk(1, init: "other"))).Message.ShouldContain("initialization of h264-720");
        Segments(composition).ShouldBe(1);
    }

    [Fact]
    public void A_chunk_that_does_not_join_its_neighbours_does_not_fit()
    {
        var composition = Planned(chunks: 3, audio: false);
        composition.Step(Chunk(0));
        // What chunk 2 brings does not follow on chunk 0.
        Fault(composition.Step(Chunk(2) with { Chunk = 1 })).Message.ShouldContain("join");
    }

    [Fact]
    public void A_chunk_with_other_renditions_than_the_plan_s_does_not_fit()
    {
        var composition = Planned(chunks: 2, audio: false);
        var chunk = Chunk(0);
        chunk.Part.Renditions.RemoveAt(0);
        Fault(composition.Step(chunk)).Message.ShouldContain("h264-360");
    }

    [Fact]
    public void The_index_shows_sound_only_as_far_as_the_picture_goes_until_it_is_ready()
    {
        var composition = Planned(chunks: 2, audio: true);
        composition.Step(Audio(4));
        composition.Step(Chunk(0));
        SoundSegments().ShouldBe(1);
        composition.Step(Chunk(1));
        SoundSegments().ShouldBe(3);
        composition.Step(new CompositionEvent.Ended(JobState.Done, null));
        SoundSegments().ShouldBe(4);

        int SoundSegments() => VersionIndexBuilder.Renditions(composition)
            .Single(r => r.Kind == TrackKind.Audio).Parts.Single().Lengths.Count;
    }

    [Fact]
    public void A_storyboard_and_subtitles_belong_to_the_version_and_change_no_stage()
    {
        var composition = Planned(chunks: 1, audio: false);
        var storyboard = new StoredPart { Storyboard = new StoryboardIndex { Columns = 2, Rows = 1 } };
        var text = new StoredPart
        {
            Subtitles = new StoredSubtitles { Tracks = { new SubtitleTrack { Id = "sub-en" } } },
        };
        var saved = composition.Step(new CompositionEvent.ExtraCommitted("subtitles", TaskKind.Subtitles, 1, text));
        Stages(saved).ShouldBeEmpty();
        composition.Step(new CompositionEvent.ExtraCommitted("storyboard", TaskKind.Storyboard, 2, storyboard));
        composition.Step(Chunk(0));
        composition.Stage.ShouldBe(VersionStage.Playable);
        composition.Beginning.Count().ShouldBe(1);

        var again = new VersionComposition();
        again.Restore(null, saved.OfType<CompositionEffect.SavePart>(), null);
        again.Subtitles.ShouldBe(text.Subtitles);
        again.Beginning.ShouldBeEmpty();
    }

    [Fact]
    public void In_whatever_order_chunks_come_the_index_is_contiguous_and_in_the_end_the_same()
    {
        var ends = new HashSet<string>(StringComparer.Ordinal);
        for (var seed = 1; seed <= 30; seed++)
        {
            var random = new Random(seed);
            var composition = Planned(chunks: 6, audio: false);
            foreach (var chunk in Enumerable.Range(0, 6).OrderBy(_ => random.Next()))
            {
                composition.Step(Chunk(chunk));
                foreach (var rendition in VersionIndexBuilder.Renditions(composition))
                {
                    rendition.FrameRate.ShouldBe(25);
                    var next = 1;
                    foreach (var part in rendition.Parts)
                    {
                        part.FirstSegment.ShouldBe(next);
                        next += part.Lengths.Count;
                    }
                }
            }

            composition.Step(new CompositionEvent.Ended(JobState.Done, null));
            composition.Stage.ShouldBe(VersionStage.Ready);
            ends.Add(string.Concat(VersionIndexBuilder.Renditions(composition)));
        }

        ends.Count.ShouldBe(1);
    }

    private static VersionComposition Planned(int chunks, bool audio)
    {
        var composition = new VersionComposition();
        composition.Step(new CompositionEvent.Planned(Attempts.Plan(chunks, audio)));
        return composition;
    }

    private static CompositionEvent.PartCommitted Chunk(int chunk, string init = "init") => new(
        Attempts.ChunkTask(chunk), TaskKind.EncodeChunk, chunk, 1, Part(Attempts.ChunkIndex(chunk, init: init)));

    private static CompositionEvent.PartCommitted Audio(int segments) =>
        new("audio", TaskKind.EncodeAudio, 0, 1, Part(Attempts.AudioIndex(segments)));

    private static StoredPart Part(Media.IsoBmff.AttemptIndex index) => AttemptReader.Convert(index, "media/m/v/t-1/");

    private static int Segments(VersionComposition composition) =>
        VersionIndexBuilder.Renditions(composition)[0].Parts.Sum(p => p.Lengths.Count);

    private static VersionStage[] Stages(IEnumerable<CompositionEffect> effects) =>
        [.. effects.OfType<CompositionEffect.Enter>().Select(enter => enter.Stage)];

    private static MediaFault Fault(IReadOnlyList<CompositionEffect> effects)
    {
        effects.ShouldContain(effect => effect is CompositionEffect.StopFollowing);
        return effects.OfType<CompositionEffect.Enter>().Single().Fault.ShouldNotBeNull();
    }
}
