using System.Text;

namespace Hexcast.Catalog;

/// <summary>What a list is narrowed to.</summary>
internal sealed record MediaFilter
{
    public const int QueryLengthLimit = 200;
    private const int TermLimit = 16;

    /// <summary>An FTS5 expression; see <see cref="Terms"/>.</summary>
    public string? Match { get; init; }
    public string? State { get; init; }

    /// <summary>Null: every tenant's.</summary>
    public string? Tenant { get; init; }

    /// <summary>A media must carry them all.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>
    /// What a person typed as an FTS5 expression: every word must begin a word of the title, the file's name or the
    /// tags. Words are letters and digits only, each quoted, so that no operator of FTS5's own language is left.
    /// Null where nothing is left to look for.
    /// </summary>
    public static string? Terms(string query)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        foreach (var rune in query.EnumerateRunes().Append(new Rune(' ')))
        {
            if (Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune)
                is System.Globalization.UnicodeCategory.NonSpacingMark
                or System.Globalization.UnicodeCategory.SpacingCombiningMark
                or System.Globalization.UnicodeCategory.PrivateUse)
            {
                word.Append(rune);
            }
            else if (word.Length > 0)
            {
                words.Add($"\"{word}\"*");
                word.Clear();
            }
        }

        return words.Count == 0 ? null : string.Join(" AND ", words.Take(TermLimit));
    }
}
