namespace Hexcast.Dashboard.Pages.Library;

/// <summary>A page of the library, as it is shown.</summary>
public sealed record LibraryView
{
    public LibraryFilter Filter { get; init; } = new();

    public IReadOnlyList<MediaCardView> Media { get; init; } = [];

    /// <summary>Of the older ones; null on the last page.</summary>
    public string? NextCursor { get; init; }

    /// <summary>Why there is nothing to show; null when all is well.</summary>
    public string? Trouble { get; init; }
}

/// <summary>What the list is narrowed to, as it stands in the address.</summary>
public sealed record LibraryFilter
{
    public string Query { get; init; } = "";

    public string State { get; init; } = "";

    public IReadOnlyList<string> Tags { get; init; } = [];

    public string Cursor { get; init; } = "";

    public bool IsEmpty => Query.Length == 0 && State.Length == 0 && Tags.Count == 0;

    /// <summary>The library's address with this filter.</summary>
    public string Address()
    {
        var pairs = new List<string>();
        Add("q", Query);
        Add("state", State);
        foreach (var tag in Tags)
        {
            Add("tag", tag);
        }

        Add("cursor", Cursor);
        return pairs.Count == 0 ? "/" : $"/?{string.Join('&', pairs)}";

        void Add(string name, string value)
        {
            if (value.Length > 0)
            {
                pairs.Add($"{name}={Uri.EscapeDataString(value)}");
            }
        }
    }
}

/// <summary>One media in the library.</summary>
public sealed record MediaCardView
{
    public required string MediaId { get; init; }

    public required string Title { get; init; }

    /// <summary>The API's word, such as "processing".</summary>
    public required string State { get; init; }

    public long SizeBytes { get; init; }

    /// <summary>0 while it is not known.</summary>
    public double DurationSeconds { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public IReadOnlyList<string> Tags { get; init; } = [];

    public bool Signed { get; init; }

    /// <summary>The picture's address, which opens to whoever has the card; null where there is none yet.</summary>
    public string? Poster { get; init; }

    public string? ErrorCode { get; init; }

    public string? ErrorMessage { get; init; }

    /// <summary>Of the whole job, 0 to 1.</summary>
    public double Fraction { get; init; }

    /// <summary>"probe", "encode", "publish"; empty while nothing is reported.</summary>
    public string Stage { get; init; } = "";

    public bool Plays => State is "playable" or "ready";

    public bool Works => State is "uploaded" or "processing" or "playable";
}
