using System.Text.Json;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Hexcast.App.Cli;

/// <summary>
/// Where a command writes. Results and words go to standard output; with <c>--json</c> the one document has standard
/// output for itself and the words go to standard error.
/// </summary>
internal sealed class Output
{
    /// <summary>Wide enough that no line of ours is broken where nobody looks at a terminal.</summary>
    private const int UnboundedColumns = 400;

    private readonly TextWriter documents;

    public Output(bool json, TextWriter? results = null, TextWriter? words = null)
    {
        Json = json;
        documents = results ?? Console.Out;
        var writer = words ?? (json ? Console.Error : documents);
        var toTerminal = words is null && results is null && !Console.IsOutputRedirected && !Console.IsErrorRedirected;
        IsTerminal = toTerminal;
        Words = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = toTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = toTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = toTerminal ? InteractionSupport.Detect : InteractionSupport.No,
        });
        if (!toTerminal)
        {
            Words.Profile.Width = UnboundedColumns;
        }
    }

    public bool Json { get; }

    /// <summary>A person watches: bars that move and questions make sense.</summary>
    public bool IsTerminal { get; }

    public IAnsiConsole Words { get; }

    /// <summary>
    /// One line of words, as it is: nothing in it is markup, and nothing is broken at the terminal's edge, so that an
    /// address can be copied.
    /// </summary>
    public void Say(string line) => Words.Write(new Line(Printable(line)));

    public void Document(object document) =>
        documents.WriteLine(JsonSerializer.Serialize(document, Client.Wire.Indented));

    /// <summary>Titles and file names come from strangers: control characters could rewrite the terminal.</summary>
    public static string Printable(string text) =>
        string.Create(text.Length, text, static (to, from) =>
        {
            for (var i = 0; i < from.Length; i++)
            {
                to[i] = char.IsControl(from[i]) && from[i] is not ('\n' or '\t') ? '\uFFFD' : from[i];
            }
        });

    private sealed class Line(string text) : Renderable
    {
        protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
        {
            foreach (var line in text.Split('\n'))
            {
                yield return new Segment(line);
                yield return Segment.LineBreak;
            }
        }
    }
}
