using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;

namespace Hexcast.Upload;

internal enum UploadPhase
{
    /// <summary>Takes bytes.</summary>
    Receiving,

    /// <summary>All bytes are durable and hash to what they should; Catalog may not know yet.</summary>
    Received,

    /// <summary>Catalog has it.</summary>
    Finished,

    /// <summary>Terminated, rejected or expired.</summary>
    Removed,
}

/// <summary>What does not change after creation. Without a length: the client did not know it.</summary>
internal sealed record UploadDescription
{
    public required string MediaId { get; init; }
    public required long? Length { get; init; }

    /// <summary>False for a plain POST: its client knows no id to come back to.</summary>
    public required bool Resumable { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Whose media it becomes; journals from before there were tenants say nothing.</summary>
    public string Tenant { get; init; } = Principal.DefaultTenant;
    public required UploadMetadata Metadata { get; init; }

    /// <summary>The Upload-Metadata header as it came; HEAD gives it back.</summary>
    public string MetadataHeader { get; init; } = "";
    public string Traceparent { get; init; } = "";
}

/// <summary>
/// One upload as a state machine; the journal's entries are the only thing that moves its durable part.
/// <code>
/// request      ─ WriterArrived ▶ Grant | Refuse | Publish
/// part fsynced ─ BytesStored   ▶ Append(offset)                      journal fsynced ─ Journaled ▶ the offset moves
/// all bytes    ─ AllStored     ▶ Append(received) | Remove, Refuse   journal fsynced ─ Journaled ▶ Publish
/// Catalog knows ─ Published    ▶ Append(finished)
/// </code>
/// </summary>
internal sealed class UploadState(UploadDescription description)
{
    public UploadDescription Description { get; } = description;

    public UploadPhase Phase { get; private set; }

    /// <summary>Bytes that survive power loss; never more than the part file holds.</summary>
    public long Offset { get; private set; }

    public long? Length { get; private set; } = description.Length;

    /// <summary>Who may write: the newest writer. Grows with each; an older one's bytes no longer count.</summary>
    public int Epoch { get; private set; }

    public string Sha256 { get; private set; } = "";

    public DateTimeOffset LastActivity { get; private set; } = description.CreatedAt;

    /// <summary>All bytes are durable, but Catalog may not know: it is not the client who goes on with it.</summary>
    public bool IsUnpublished => Phase == UploadPhase.Received
        || (Phase == UploadPhase.Receiving && Description.Resumable && Offset == Length);

    public IReadOnlyList<UploadEffect> Step(UploadEvent happened, DateTimeOffset now) => happened switch
    {
        UploadEvent.Opened opened => Open(opened.PartLength),
        UploadEvent.WriterArrived writer => Arrive(writer),
        UploadEvent.BytesStored stored => Store(stored, now),
        UploadEvent.AllStored all => Complete(all, now),
        UploadEvent.Journaled journaled => Apply(journaled.Entry),
        UploadEvent.Published when Phase == UploadPhase.Received => [new UploadEffect.Append(JournalEntry.Finish(now))],
        UploadEvent.Published => [],
        UploadEvent.TerminationAsked => Terminate(),
        UploadEvent.Swept swept => Expire(swept.ExpireAfter, now),
        _ => throw new ArgumentOutOfRangeException(nameof(happened)),
    };

    // Nobody writes. The part was synced before the journal spoke of it, so it can only be longer.
    private IReadOnlyList<UploadEffect> Open(long partLength) => Phase switch
    {
        UploadPhase.Received => [new UploadEffect.Publish()],
        UploadPhase.Receiving when !Description.Resumable || partLength < Offset => Removal(),
        UploadPhase.Receiving when partLength > Offset && Offset == Length =>
            [new UploadEffect.CutPart(Offset), new UploadEffect.Verify()],
        UploadPhase.Receiving when partLength > Offset => [new UploadEffect.CutPart(Offset)],
        UploadPhase.Receiving when Offset == Length => [new UploadEffect.Verify()],
        _ => [],
    };

    private IReadOnlyList<UploadEffect> Arrive(UploadEvent.WriterArrived writer)
    {
        if (Phase == UploadPhase.Removed)
        {
            return [Gone()];
        }

        if (writer.Offset != Offset)
        {
            return
            [
                new UploadEffect.Refuse(
                    ErrorCodes.UploadOffsetMismatch,
                    $"The upload is at offset {Offset}, not {writer.Offset}. Ask with HEAD and go on from there."),
            ];
        }

        if (Length is { } length && writer.BodyLength > length - Offset)
        {
            return [TooLong(length)];
        }

        // A client that lost the last answer asks again with nothing left to send.
        if (Phase == UploadPhase.Finished)
        {
            return [];
        }

        if (Phase == UploadPhase.Received)
        {
            return [new UploadEffect.Publish()];
        }

        Epoch++;
        return [new UploadEffect.Grant(Epoch)];
    }

    private IReadOnlyList<UploadEffect> Store(UploadEvent.BytesStored stored, DateTimeOffset now) =>
        Phase == UploadPhase.Receiving && stored.Epoch == Epoch && stored.Offset > Offset
            ? [new UploadEffect.Append(JournalEntry.Advance(stored.Offset, now))]
            : [];

    private IReadOnlyList<UploadEffect> Complete(UploadEvent.AllStored all, DateTimeOffset now)
    {
        if (Phase != UploadPhase.Receiving || (Length is { } length && Offset != length))
        {
            return [];
        }

        if (Offset == 0)
        {
            return
            [
                .. Removal(),
                new UploadEffect.Refuse(ErrorCodes.InvalidArgument, "The file is empty: there is nothing to play."),
            ];
        }

        var wanted = Description.Metadata;
        var wrong =
            wanted.Sha256.Length > 0 && wanted.Sha256 != all.Sha256 ? $"SHA-256 is {all.Sha256}, not {wanted.Sha256}"
            : wanted.Md5.Length > 0 && wanted.Md5 != all.Md5 ? $"MD5 is {all.Md5}, not {wanted.Md5}"
            : null;
        return wrong is null
            ? [new UploadEffect.Append(JournalEntry.Receive(Offset, all.Sha256, now))]
            :
            [
                .. Removal(),
                new UploadEffect.Refuse(
                    ErrorCodes.UploadChecksumMismatch,
                    $"What arrived is not what was announced: its {wrong}. The upload is removed; send it again."),
            ];
    }

    private IReadOnlyList<UploadEffect> Apply(JournalEntry entry)
    {
        LastActivity = entry.At;
        switch (entry.Kind)
        {
            case JournalEntryKind.Offset:
                Offset = entry.Offset;
                return [];
            case JournalEntryKind.Received:
                (Offset, Length, Sha256, Phase) = (entry.Offset, entry.Offset, entry.Sha256, UploadPhase.Received);
                return [new UploadEffect.Publish()];
            case JournalEntryKind.Finished:
                Phase = UploadPhase.Finished;
                return [];
            default:
                return [];
        }
    }

    private IReadOnlyList<UploadEffect> Terminate() => Phase switch
    {
        UploadPhase.Receiving => Removal(),
        UploadPhase.Removed => [Gone()],
        _ =>
        [
            new UploadEffect.Refuse(
                ErrorCodes.Conflict,
                $"The upload is complete and a media now: DELETE /v1/media/{Description.MediaId} removes it."),
        ],
    };

    // What is received but not yet with Catalog never expires: it was acknowledged.
    private IReadOnlyList<UploadEffect> Expire(TimeSpan expireAfter, DateTimeOffset now) =>
        Phase is UploadPhase.Receiving or UploadPhase.Finished && now - LastActivity > expireAfter ? Removal() : [];

    private IReadOnlyList<UploadEffect> Removal()
    {
        Phase = UploadPhase.Removed;
        return [new UploadEffect.Remove()];
    }

    private static UploadEffect.Refuse Gone() => new(ErrorCodes.UploadGone, "The upload was removed. Start a new one.");

    private static UploadEffect.Refuse TooLong(long length) =>
        new(ErrorCodes.TooLarge, $"The body goes beyond the upload's length of {length} bytes.");
}
