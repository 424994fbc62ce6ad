using System.Text.Json.Serialization;

namespace Hexcast.Upload;

[JsonConverter(typeof(JsonStringEnumConverter<JournalEntryKind>))]
internal enum JournalEntryKind
{
    [JsonStringEnumMemberName("created")] Created,
    [JsonStringEnumMemberName("offset")] Offset,
    [JsonStringEnumMemberName("received")] Received,
    [JsonStringEnumMemberName("finished")] Finished,
}

/// <summary>A step of an upload that will be true after any crash.</summary>
internal sealed record JournalEntry
{
    public required JournalEntryKind Kind { get; init; }
    public required DateTimeOffset At { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public UploadDescription? Description { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Offset { get; init; }

    public string Sha256 { get; init; } = "";

    public static JournalEntry Create(UploadDescription description) =>
        new() { Kind = JournalEntryKind.Created, At = description.CreatedAt, Description = description };

    public static JournalEntry Advance(long offset, DateTimeOffset now) =>
        new() { Kind = JournalEntryKind.Offset, At = now, Offset = offset };

    public static JournalEntry Receive(long length, string sha256, DateTimeOffset now) =>
        new() { Kind = JournalEntryKind.Received, At = now, Offset = length, Sha256 = sha256 };

    public static JournalEntry Finish(DateTimeOffset now) => new() { Kind = JournalEntryKind.Finished, At = now };
}
