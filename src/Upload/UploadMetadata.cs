namespace Hexcast.Upload;

/// <summary>What the client says of the file. Empty strings stand for what it does not say.</summary>
internal sealed record UploadMetadata
{
    public string Filename { get; init; } = "";
    public string Title { get; init; } = "";
    public string Preset { get; init; } = "";

    /// <summary>Lower-case hexadecimal; what the file must hash to.</summary>
    public string Sha256 { get; init; } = "";

    /// <summary>Lower-case hexadecimal; what the file must hash to.</summary>
    public string Md5 { get; init; } = "";
    public string Class { get; init; } = "";
    public IReadOnlyList<string> Tags { get; init; } = [];
    public string Policy { get; init; } = "";
}
