namespace Hexcast.Upload;

/// <summary>What happens to an upload.</summary>
internal abstract record UploadEvent
{
    /// <summary>The process has replayed the journal, or comes back to what stayed unpublished.</summary>
    public sealed record Opened(long PartLength) : UploadEvent;

    public sealed record WriterArrived(long Offset, long? BodyLength) : UploadEvent;

    /// <summary>The part file is synced up to the offset.</summary>
    public sealed record BytesStored(int Epoch, long Offset) : UploadEvent;

    /// <summary>The body has ended and everything before is journalled. Hashes in lower-case hexadecimal.</summary>
    public sealed record AllStored(string Sha256, string Md5) : UploadEvent;

    /// <summary>The entry is durable.</summary>
    public sealed record Journaled(JournalEntry Entry) : UploadEvent;

    /// <summary>Catalog has answered that it knows the media.</summary>
    public sealed record Published : UploadEvent;

    public sealed record TerminationAsked : UploadEvent;

    public sealed record Swept(TimeSpan ExpireAfter) : UploadEvent;
}

/// <summary>What is to be done about it, in this order.</summary>
internal abstract record UploadEffect
{
    /// <summary>The caller is the writer now.</summary>
    public sealed record Grant(int Epoch) : UploadEffect;

    public sealed record Refuse(string Code, string Message) : UploadEffect;

    /// <summary>Make the entry durable, then feed it back as <see cref="UploadEvent.Journaled"/>.</summary>
    public sealed record Append(JournalEntry Entry) : UploadEffect;

    public sealed record CutPart(long Length) : UploadEffect;

    /// <summary>Hash the part, then feed <see cref="UploadEvent.AllStored"/>.</summary>
    public sealed record Verify : UploadEffect;

    /// <summary>Make the part the source, tell Catalog, then feed <see cref="UploadEvent.Published"/>.</summary>
    public sealed record Publish : UploadEffect;

    /// <summary>Delete part and journal.</summary>
    public sealed record Remove : UploadEffect;
}
