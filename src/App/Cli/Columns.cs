using Spectre.Console.Rendering;

namespace Hexcast.App.Cli;

/// <summary>
/// A table for a person. No cell is broken or cut, so that an id can be copied: what is wider than the terminal runs
/// on, as a line of words does.
/// </summary>
internal sealed class Columns(params string[] headings) : Renderable
{
    private const int GapColumns = 2;

    private readonly List<string[]> rows = headings.Length == 0 ? [] : [headings];

    /// <summary>Text, never markup: titles come from strangers.</summary>
    public void Add(params string[] cells) =>
        rows.Add([.. cells.Select(cell => Output.Printable(cell.ReplaceLineEndings(" ")))]);

    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        var widths = Enumerable.Range(0, rows.Max(row => row.Length))
            .Select(column => rows.Max(row => column < row.Length ? Width(row[column]) : 0)).ToArray();
        foreach (var row in rows)
        {
            var cells = row.Select((cell, i) => cell + new string(' ', widths[i] - Width(cell) + GapColumns));
            yield return new Segment(string.Concat(cells).TrimEnd());
            yield return Segment.LineBreak;
        }
    }

    /// <summary>Columns of a terminal: a Chinese character fills two.</summary>
    private static int Width(string text) => new Segment(text).CellCount();
}
