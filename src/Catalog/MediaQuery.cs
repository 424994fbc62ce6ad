using Hexcast.Contracts;
using Hexcast.Platform.Errors;
using Microsoft.Data.Sqlite;

namespace Hexcast.Catalog;

/// <summary>What a list asks for, after it was judged.</summary>
/// <param name="Filter">Null where nothing can match.</param>
/// <param name="Before">Only media that are older.</param>
internal sealed record MediaQuery(MediaFilter? Filter, string? Before, int Limit)
{
    public const int DefaultLimit = 50;
    public const int HighestLimit = 200;
    public const int TagLimit = 8;

    /// <exception cref="HexcastException">invalid_argument: a value that is not allowed.</exception>
    public static MediaQuery Judge(
        string words, string state, IEnumerable<string> tags, int limit, string cursor, string? tenant)
    {
        if (limit is < 1 or > HighestLimit)
        {
            throw Bad($"limit must be 1 to {HighestLimit}.");
        }

        if (cursor.Length > 0 && !MediaId.TryParse(cursor, out _))
        {
            throw Bad("cursor is none that was given here.");
        }

        return new MediaQuery(Judge(words.Trim(), state, tags, tenant), cursor.Length == 0 ? null : cursor, limit);
    }

    /// <summary>The page, and the cursor of the next one where there is one.</summary>
    public (IReadOnlyList<MediaRow> Rows, string? Next) Read(SqliteConnection connection)
    {
        var rows = Filter is null ? [] : MediaTable.List(connection, Filter, Before, Limit + 1);
        return rows.Count > Limit ? ([.. rows.Take(Limit)], rows[Limit - 1].MediaId) : (rows, null);
    }

    private static MediaFilter? Judge(string words, string state, IEnumerable<string> tags, string? tenant)
    {
        if (words.Length > MediaFilter.QueryLengthLimit)
        {
            throw Bad($"q is longer than {MediaFilter.QueryLengthLimit} characters.");
        }

        if (state.Length > 0 && !MediaStates.Names.Contains(state, StringComparer.Ordinal))
        {
            throw Bad($"state '{state}' is not known. There are: {string.Join(", ", MediaStates.Names)}.");
        }

        var distinct = tags.Where(tag => tag.Length > 0).Distinct(StringComparer.Ordinal).ToList();
        if (distinct.Count > TagLimit)
        {
            throw Bad($"tag is given more than {TagLimit} times.");
        }

        var match = MediaFilter.Terms(words);
        return words.Length > 0 && match is null
            ? null
            : new MediaFilter
            {
                Match = match, State = state.Length == 0 ? null : state, Tenant = tenant, Tags = distinct,
            };
    }

    private static HexcastException Bad(string message) => new(ErrorCodes.InvalidArgument, message);
}
