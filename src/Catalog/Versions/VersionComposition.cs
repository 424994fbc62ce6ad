using Hexcast.Contracts.V1;
using Hexcast.Platform.Errors;

namespace Hexcast.Catalog.Versions;

internal enum VersionStage
{
    Processing,

    /// <summary>Chunk 0 is there, and the sound where the source has any: the set of renditions stays.</summary>
    Playable,
    Ready,
    Failed,
}

/// <summary>A durable event of the version's job, with what it names already read from the object store.</summary>
internal abstract record CompositionEvent
{
    public sealed record Planned(PlanSummary Plan) : CompositionEvent;

    public sealed record PartCommitted(string TaskId, TaskKind Kind, int Chunk, int Attempt, StoredPart Part)
        : CompositionEvent;

    public sealed record PosterCommitted(ObjectRef Image) : CompositionEvent;

    /// <summary>A storyboard or subtitles.</summary>
    public sealed record ExtraCommitted(string TaskId, TaskKind Kind, int Attempt, StoredPart Part) : CompositionEvent;

    /// <summary>A commit names something that is not what it says.</summary>
    public sealed record PartUnusable(string TaskId, string Why) : CompositionEvent;

    public sealed record Ended(JobState State, TaskFailure? Failure) : CompositionEvent;

    public sealed record Restarted : CompositionEvent;

    /// <summary>Of no consequence here, but its revision counts.</summary>
    public sealed record Noted : CompositionEvent;
}

internal abstract record CompositionEffect
{
    public sealed record SavePlan(PlanSummary Plan) : CompositionEffect;

    public sealed record SavePart(string TaskId, TaskKind Kind, int Chunk, int Attempt, StoredPart Part)
        : CompositionEffect;

    public sealed record SavePoster(ObjectRef Image) : CompositionEffect;

    public sealed record Enter(VersionStage Stage, MediaFault? Fault) : CompositionEffect;

    /// <summary>No event follows unless somebody restarts the job.</summary>
    public sealed record StopFollowing : CompositionEffect;
}

/// <summary>
/// Puts a version together from its job's commits, in the order of the job's revisions. Pure: the follower reads the
/// objects, and writes the effects in one transaction with the job's cursor.
/// </summary>
internal sealed class VersionComposition(VersionStage stage = VersionStage.Processing)
{
    private readonly SortedDictionary<int, StoredPart> chunks = [];
    private readonly Dictionary<string, Google.Protobuf.ByteString> initializations = new(StringComparer.Ordinal);

    public VersionStage Stage { get; private set; } = stage;

    public PlanSummary? Plan { get; private set; }

    public StoredPart? Audio { get; private set; }

    public ObjectRef? Poster { get; private set; }

    public StoryboardIndex? Storyboard { get; private set; }

    public StoredSubtitles? Subtitles { get; private set; }

    /// <summary>The chunks from the first on, without a gap.</summary>
    public IEnumerable<StoredPart> Beginning =>
        chunks.TakeWhile((chunk, index) => chunk.Key == index).Select(c => c.Value);

    /// <summary>Takes over what was saved before; call before the first step.</summary>
    public void Restore(PlanSummary? plan, IEnumerable<CompositionEffect.SavePart> parts, ObjectRef? poster)
    {
        (Plan, Poster) = (plan, poster);
        foreach (var part in parts)
        {
            Keep(part.Kind, part.Chunk, part.Part);
        }
    }

    public IReadOnlyList<CompositionEffect> Step(CompositionEvent happened) => happened switch
    {
        CompositionEvent.Planned planned => Accept(planned.Plan),
        CompositionEvent.PartCommitted committed => Accept(committed),
        CompositionEvent.PosterCommitted poster => Accept(poster.Image),
        CompositionEvent.ExtraCommitted extra => Accept(extra),
        CompositionEvent.PartUnusable unusable =>
            Fail($"The task {unusable.TaskId} committed what cannot be used: {unusable.Why}"),
        CompositionEvent.Ended ended => End(ended),
        CompositionEvent.Restarted => Enter(IsPlayable ? VersionStage.Playable : VersionStage.Processing),
        _ => [],
    };

    private bool IsPlayable => Plan is not null && chunks.ContainsKey(0) && (!Plan.HasAudio || Audio is not null);

    private bool IsWhole => Plan is not null && Beginning.Count() == Plan.ChunkSeconds.Count
        && (!Plan.HasAudio || Audio is not null);

    private IReadOnlyList<CompositionEffect> Accept(PlanSummary plan)
    {
        Plan = plan;
        return [new CompositionEffect.SavePlan(plan)];
    }

    private IReadOnlyList<CompositionEffect> Accept(ObjectRef poster)
    {
        Poster = poster;
        return [new CompositionEffect.SavePoster(poster)];
    }

    private IReadOnlyList<CompositionEffect> Accept(CompositionEvent.ExtraCommitted extra)
    {
        Keep(extra.Kind, chunk: 0, extra.Part);
        return [new CompositionEffect.SavePart(extra.TaskId, extra.Kind, Chunk: 0, extra.Attempt, extra.Part)];
    }

    private IReadOnlyList<CompositionEffect> Accept(CompositionEvent.PartCommitted committed)
    {
        if (Contradiction(committed) is { } why)
        {
            return Fail($"The task {committed.TaskId} committed what does not fit: {why}");
        }

        Keep(committed.Kind, committed.Chunk, committed.Part);
        return
        [
            new CompositionEffect.SavePart(
                committed.TaskId, committed.Kind, committed.Chunk, committed.Attempt, committed.Part),
            .. Stage == VersionStage.Processing && IsPlayable ? Enter(VersionStage.Playable) : [],
        ];
    }

    private IReadOnlyList<CompositionEffect> End(CompositionEvent.Ended ended) => ended.State switch
    {
        JobState.Done when IsWhole => [.. Enter(VersionStage.Ready), new CompositionEffect.StopFollowing()],
        JobState.Done => Fail("The job ended, but not every chunk was committed."),
        JobState.Cancelled => [.. EnterFailed(new MediaFault(
            ErrorCodes.Cancelled, "The job was cancelled. Retry it, or delete the media.", "")),
            new CompositionEffect.StopFollowing()],
        _ => [.. EnterFailed(new MediaFault(
            ended.Failure?.Code ?? ErrorCodes.Internal, ended.Failure?.Message ?? "", ended.Failure?.LogTail ?? "")),
            new CompositionEffect.StopFollowing()],
    };

    private void Keep(TaskKind kind, int chunk, StoredPart part)
    {
        switch (kind)
        {
            case TaskKind.EncodeAudio:
                Audio = part;
                break;
            case TaskKind.Storyboard:
                Storyboard = part.Storyboard;
                break;
            case TaskKind.Subtitles:
                Subtitles = part.Subtitles;
                break;
            default:
                chunks[chunk] = part;
                break;
        }

        foreach (var rendition in part.Renditions)
        {
            initializations.TryAdd(rendition.Index.Id, rendition.InitSha256);
        }
    }

    private string? Contradiction(CompositionEvent.PartCommitted committed)
    {
        if (Plan is null)
        {
            return "there is no plan yet";
        }

        var audio = committed.Kind == TaskKind.EncodeAudio;
        var planned = Plan.Renditions.Where(r => r.Audio == audio).Select(r => r.Id).Order(StringComparer.Ordinal);
        var got = committed.Part.Renditions.Select(r => r.Index.Id).Order(StringComparer.Ordinal);
        if (!planned.SequenceEqual(got, StringComparer.Ordinal))
        {
            return $"it has the renditions {string.Join(", ", got)}, the plan {string.Join(", ", planned)}";
        }

        if (!audio && committed.Chunk >= Plan.ChunkSeconds.Count)
        {
            return $"the plan has {Plan.ChunkSeconds.Count} chunks";
        }

        foreach (var rendition in committed.Part.Renditions)
        {
            if (initializations.TryGetValue(rendition.Index.Id, out var known) && !known.Equals(rendition.InitSha256))
            {
                return $"the initialization of {rendition.Index.Id} differs from that of its other chunks";
            }

            var first = rendition.Index.Parts[0].FirstSegment;
            var end = first + rendition.Index.Parts[0].Lengths.Count;
            if ((audio || committed.Chunk == 0) && first != 1)
            {
                return $"{rendition.Index.Id} begins with segment {first}";
            }

            if (!audio && (NeighbourGap(committed.Chunk - 1, rendition.Index.Id, first, before: true)
                ?? NeighbourGap(committed.Chunk + 1, rendition.Index.Id, end, before: false)) is { } gap)
            {
                return gap;
            }
        }

        return null;
    }

    private string? NeighbourGap(int chunk, string renditionId, int segment, bool before)
    {
        if (!chunks.TryGetValue(chunk, out var neighbour))
        {
            return null;
        }

        var part = neighbour.Renditions.Single(r => r.Index.Id == renditionId).Index.Parts[0];
        var joint = before ? part.FirstSegment + part.Lengths.Count : part.FirstSegment;
        return joint == segment
            ? null
            : $"{renditionId} does not join chunk {chunk} at segment {joint} but at {segment}";
    }

    private IReadOnlyList<CompositionEffect> Fail(string message) =>
    [
        .. EnterFailed(new MediaFault(ErrorCodes.VersionInconsistent, message, "")),
        new CompositionEffect.StopFollowing(),
    ];

    private IReadOnlyList<CompositionEffect> Enter(VersionStage next)
    {
        Stage = next;
        return [new CompositionEffect.Enter(next, Fault: null)];
    }

    private IReadOnlyList<CompositionEffect> EnterFailed(MediaFault fault)
    {
        Stage = VersionStage.Failed;
        return [new CompositionEffect.Enter(VersionStage.Failed, fault)];
    }
}
