using Microsoft.AspNetCore.Http;

namespace Hexcast.Playback.Segments;

/// <summary>What of a representation a request gets: RFC 9110, 13 (preconditions) and 14 (ranges).</summary>
internal readonly record struct ByteRange(int Status, long From, long Count)
{
    /// <summary>A longer Range header is ignored, as one that cannot be parsed is.</summary>
    private const int HeaderLengthLimit = 128;

    /// <param name="etag">Strong, with its quotes.</param>
    /// <param name="length">Of the whole representation, at least 1.</param>
    public static ByteRange For(HttpRequest request, string etag, long length)
    {
        var headers = request.Headers;
        if (headers.IfMatch.Count > 0 && !Matches(headers.IfMatch.ToString(), etag, weak: false))
        {
            return new ByteRange(StatusCodes.Status412PreconditionFailed, 0, 0);
        }

        if (headers.IfNoneMatch.Count > 0 && Matches(headers.IfNoneMatch.ToString(), etag, weak: true))
        {
            return new ByteRange(StatusCodes.Status304NotModified, 0, 0);
        }

        var whole = new ByteRange(StatusCodes.Status200OK, 0, length);
        // 14.2: Range has a meaning for GET only. 13.1.5: If-Range compares strongly, and a date never matches here.
        if (headers.Range.Count != 1 || !HttpMethods.IsGet(request.Method) ||
            (headers.IfRange.Count > 0 && headers.IfRange.ToString() != etag))
        {
            return whole;
        }

        return Parse(headers.Range.ToString(), length) ?? whole;
    }

    /// <summary>Null where the header is to be ignored: another unit, several ranges, or not a range at all.</summary>
    internal static ByteRange? Parse(string header, long length)
    {
        const string Unit = "bytes=";
        if (header.Length > HeaderLengthLimit || !header.StartsWith(Unit, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var range = header.AsSpan(Unit.Length).Trim();
        var dash = range.IndexOf('-');
        if (dash < 0 || !TryNumber(range[..dash], out var first) || !TryNumber(range[(dash + 1)..], out var last))
        {
            return null;
        }

        var unsatisfiable = new ByteRange(StatusCodes.Status416RangeNotSatisfiable, 0, 0);
        switch (first, last)
        {
            case (null, null):
                return null;
            case (null, { } suffix):
                return suffix == 0 ? unsatisfiable : Part(length - Math.Min(suffix, length), length - 1);
            case ({ } from, null):
                return from >= length ? unsatisfiable : Part(from, length - 1);
            case ({ } from, { } to):
                return to < from ? null : from >= length ? unsatisfiable : Part(from, Math.Min(to, length - 1));
        }

        static ByteRange Part(long from, long to) => new(StatusCodes.Status206PartialContent, from, to - from + 1);
    }

    /// <summary>Digits only, without sign; nothing is null; more than fits counts as the largest number.</summary>
    private static bool TryNumber(ReadOnlySpan<char> text, out long? number)
    {
        number = null;
        if (text.IsEmpty)
        {
            return true;
        }

        if (text.ContainsAnyExceptInRange('0', '9'))
        {
            return false;
        }

        number = long.TryParse(text, out var parsed) ? parsed : long.MaxValue;
        return true;
    }

    // Tags of this server hold no comma, so that a comma always ends one that may match.
    private static bool Matches(string header, string etag, bool weak)
    {
        if (header == etag)
        {
            return true;
        }

        foreach (var part in header.AsSpan().Split(','))
        {
            var tag = header.AsSpan(part).Trim();
            if (weak && tag.StartsWith("W/"))
            {
                tag = tag[2..];
            }

            if (tag is "*" || tag.SequenceEqual(etag))
            {
                return true;
            }
        }

        return false;
    }
}
