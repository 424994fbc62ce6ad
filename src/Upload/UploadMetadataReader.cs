using System.Text;
using Hexcast.Contracts;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Presets;

namespace Hexcast.Upload;

/// <summary>Reads and judges what a client says of its file, before a byte of it is taken.</summary>
internal sealed class UploadMetadataReader(PresetCatalog presets)
{
    public const int HeaderLengthLimit = 8 * 1024;
    private const int PairLimit = 32;
    public const int FilenameLimit = 255;
    public const int TitleLimit = 300;
    private const int TagLimit = 32;
    private const int TagLengthLimit = 64;

    private static readonly string[] Classes = ["", .. TaskClass.All];
    private static readonly string[] Policies = ["", "public", "signed"];
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>tus 1.0, Upload-Metadata: "key base64,key base64"; a key alone has an empty value.</summary>
    public UploadMetadata ReadHeader(string header)
    {
        if (header.Length > HeaderLengthLimit)
        {
            throw Bad($"Upload-Metadata is longer than {HeaderLengthLimit} characters.");
        }

        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in header.Length == 0 ? [] : header.Split(','))
        {
            var parts = pair.Trim(' ').Split(' ');
            if (parts.Length > 2 || parts[0].Length == 0 || !parts[0].All(char.IsAscii))
            {
                throw Bad("Upload-Metadata must be pairs of an ASCII key, a space and a base64 value, comma-joined.");
            }

            if (values.Count == PairLimit)
            {
                throw Bad($"Upload-Metadata holds more than {PairLimit} keys.");
            }

            if (!values.TryAdd(parts[0], parts.Length == 2 ? Decode(parts[0], parts[1]) : ""))
            {
                throw Bad($"Upload-Metadata names '{parts[0]}' twice.");
            }
        }

        return Judge(key => values.GetValueOrDefault(key, ""));
    }

    public UploadMetadata Judge(Func<string, string> value)
    {
        var tags = value("tags").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var metadata = new UploadMetadata
        {
            Filename = Text("filename", BaseName(value("filename")), FilenameLimit),
            Title = Text("title", value("title").Trim(), TitleLimit),
            Preset = value("preset"),
            Sha256 = Digest("sha256", value("sha256"), 32),
            Md5 = Digest("md5", value("md5"), 16),
            Class = OneOf("class", value("class"), Classes),
            Policy = OneOf("policy", value("policy"), Policies),
            Tags = [.. tags.Select(tag => Text("tags", tag, TagLengthLimit)).Distinct(StringComparer.Ordinal)],
        };
        if (metadata.Tags.Count > TagLimit)
        {
            throw Bad($"tags holds more than {TagLimit} tags.");
        }

        if (metadata.Preset.Length > 0)
        {
            presets.Get(metadata.Preset);
        }

        return metadata;
    }

    // Some browsers send "C:\fakepath\a.mp4"; only the name is of use.
    private static string BaseName(string path) => path[(path.LastIndexOfAny(['/', '\\']) + 1)..].Trim();

    private static string Decode(string key, string base64)
    {
        try
        {
            return StrictUtf8.GetString(Convert.FromBase64String(base64));
        }
        catch (FormatException)
        {
            throw Bad($"Upload-Metadata: the value of '{key}' is no base64.");
        }
        catch (DecoderFallbackException)
        {
            throw Bad($"Upload-Metadata: the value of '{key}' is no UTF-8.");
        }
    }

    private static string Text(string key, string text, int limit) =>
        text.Length > limit ? throw Bad($"{key} is longer than {limit} characters.")
        : text.Any(char.IsControl) ? throw Bad($"{key} holds a control character.")
        : text;

    private static string Digest(string key, string hex, int bytes) =>
        hex.Length == 0 || (hex.Length == bytes * 2 && hex.All(char.IsAsciiHexDigit))
            ? hex.ToLowerInvariant()
            : throw Bad($"{key} must be {bytes * 2} hexadecimal digits.");

    private static string OneOf(string key, string text, string[] allowed) =>
        allowed.Contains(text, StringComparer.Ordinal)
            ? text
            : throw Bad($"{key} '{text}' is not known. There are: {string.Join(", ", allowed.Skip(1))}.");

    private static HexcastException Bad(string message) => new(ErrorCodes.InvalidArgument, message);
}
