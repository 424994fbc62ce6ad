using System.Globalization;
using Hexcast.Platform.Errors;
using Microsoft.AspNetCore.Http;

namespace Hexcast.Upload.Tus;

/// <summary>tus 1.0's headers (https://tus.io/protocols/resumable-upload).</summary>
internal static class TusHeaders
{
    public const string Version = "1.0.0";
    public const string Extensions = "creation,creation-with-upload,termination,expiration";
    public const string OffsetContentType = "application/offset+octet-stream";

    public const string TusResumable = "Tus-Resumable";
    public const string TusVersion = "Tus-Version";
    public const string TusExtension = "Tus-Extension";
    public const string TusMaxSize = "Tus-Max-Size";
    public const string UploadOffset = "Upload-Offset";
    public const string UploadLength = "Upload-Length";
    public const string UploadDeferLength = "Upload-Defer-Length";
    public const string UploadMetadata = "Upload-Metadata";
    public const string UploadExpires = "Upload-Expires";
    public const string UploadConcat = "Upload-Concat";
    public const string MethodOverride = "X-HTTP-Method-Override";

    /// <summary>412 with the version that is spoken here, unless the request speaks it.</summary>
    public static void RequireVersion(HttpContext context)
    {
        if (context.Request.Headers[TusResumable] != Version)
        {
            context.Response.Headers[TusVersion] = Version;
            throw new HexcastException(ErrorCodes.PreconditionFailed, $"Send the header {TusResumable}: {Version}.");
        }
    }

    public static void RequireOffsetContentType(HttpRequest request)
    {
        if (!string.Equals(request.ContentType, OffsetContentType, StringComparison.OrdinalIgnoreCase))
        {
            throw new HexcastException(ErrorCodes.UnsupportedMediaType, $"Send Content-Type: {OffsetContentType}.");
        }
    }

    public static long RequireNumber(HttpRequest request, string header) =>
        long.TryParse(request.Headers[header], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new HexcastException(
                ErrorCodes.InvalidArgument, $"The header {header} must be a number of bytes, 0 or more.");
}
