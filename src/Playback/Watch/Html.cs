using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace Hexcast.Playback.Watch;

/// <summary>
/// Markup from an interpolated string: what stands in the source is markup, every hole is text and encoded, in an
/// attribute within double quotes too. Only another <see cref="Html"/> goes in as it is.
/// </summary>
[InterpolatedStringHandler]
internal sealed class Html
{
    private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All);

    private const int TypicalHoleLength = 32;

    private readonly StringBuilder text;

    public Html(int literalLength, int formattedCount) =>
        text = new StringBuilder(literalLength + (formattedCount * TypicalHoleLength));

    public static Html Nothing { get; } = new(0, 0);

    /// <summary>Gives the compiler the type to build.</summary>
    public static Html Of(Html markup) => markup;

    public void AppendLiteral(string markup) => text.Append(markup);

    public void AppendFormatted(string? value) => text.Append(value is null ? "" : Encoder.Encode(value));

    public void AppendFormatted(Html markup) => text.Append(markup.text);

    public override string ToString() => text.ToString();
}
