using System.Text.Json;
using Hexcast.Media.Planning;

namespace Hexcast.Media.Manifests;

/// <summary>What a storyboard attempt has put into the object store: the object that its commit names.</summary>
public sealed record StoryboardIndex
{
    public const int CurrentVersion = 1;
    public const int MaxJsonBytes = 256 << 10;

    public int Version { get; init; } = CurrentVersion;
    public required int TileWidth { get; init; }
    public required int TileHeight { get; init; }
    public required int Columns { get; init; }
    public required int Rows { get; init; }

    /// <summary>When each picture begins to stand for the video, rising; the last does so to the end.</summary>
    public required IReadOnlyList<double> StartSeconds { get; init; }
    public required double EndSeconds { get; init; }
    public required IReadOnlyList<StoredFile> Sheets { get; init; }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, MediaJson.Options);

    /// <exception cref="MediaException">The document is no index, or contradicts itself.</exception>
    public static StoryboardIndex FromJson(ReadOnlySpan<byte> json)
    {
        var index = StoredFile.ReadIndex<StoryboardIndex>(json, MaxJsonBytes);
        index.Check();
        return index;
    }

    private void Check()
    {
        StoredFile.Require(Version == CurrentVersion, $"it has version {Version}");
        StoredFile.Require(TileWidth is > 0 and <= StoryboardPlan.TileWidth
            && TileHeight is > 0 and <= StoryboardPlan.MaxTileHeight, "its pictures have no size, or too large a one");
        StoredFile.Require(Columns is > 0 and <= StoryboardPlan.MaxColumns
            && Rows is > 0 and <= StoryboardPlan.MaxRows, "its sheets have no pictures, or too many");
        StoredFile.Require(StartSeconds.Count is > 0 and <= StoryboardPlan.MaxPictures, "it has too many pictures");
        StoredFile.Require(StartSeconds[0] >= 0 && double.IsFinite(EndSeconds) && StartSeconds[^1] < EndSeconds
            && StartSeconds.Zip(StartSeconds.Skip(1)).All(pair => pair.First < pair.Second),
            "its pictures are not in order");
        var perSheet = Columns * Rows;
        StoredFile.Require(
            Sheets.Count == (StartSeconds.Count + perSheet - 1) / perSheet && Sheets.All(sheet => sheet is not null),
            "a sheet is missing");
        foreach (var sheet in Sheets)
        {
            sheet.Check();
        }
    }
}

/// <summary>An object beside the index that names it.</summary>
public sealed record StoredFile
{
    private const int Sha256HexChars = 64;

    public required string Name { get; init; }
    public required long Length { get; init; }

    /// <summary>Lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }

    internal void Check()
    {
        Require(MediaJson.IsPathName(Name), "a name is not safe in a path");
        Require(Length > 0, $"{Name} is empty");
        Require(Sha256.Length == Sha256HexChars && Sha256.All(char.IsAsciiHexDigitLower), $"{Name} has no hash");
    }

    internal static TIndex ReadIndex<TIndex>(ReadOnlySpan<byte> json, int limitBytes) where TIndex : class
    {
        Require(json.Length <= limitBytes, "it is over its size limit");
        try
        {
            return JsonSerializer.Deserialize<TIndex>(json, MediaJson.Options)
                ?? throw new MediaException(MediaErrorCode.IndexInvalid, "The index cannot be used: it is null.");
        }
        catch (JsonException e)
        {
            throw new MediaException(MediaErrorCode.IndexInvalid, $"The index cannot be read: {e.Message}", e);
        }
    }

    internal static void Require(bool holds, string problem)
    {
        if (!holds)
        {
            throw new MediaException(MediaErrorCode.IndexInvalid, $"The index cannot be used: {problem}.");
        }
    }
}
