using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Microsoft.AspNetCore.Http;

namespace Hexcast.Upload;

/// <summary>The whole file as the body of one POST, its metadata in the query: what curl -X POST -T does.</summary>
/// <remarks>curl -T alone sends PUT, which is answered with 405.</remarks>
internal static class PlainUpload
{
    public static async Task TakeAsync(HttpContext context, UploadReception reception, UploadMetadataReader metadata)
    {
        var request = context.Request;
        if (request.HasFormContentType)
        {
            throw new HexcastException(
                ErrorCodes.UnsupportedMediaType,
                "Send the file itself as the body (Content-Type: video/mp4), not a form that contains it.");
        }

        var said = metadata.Judge(key => request.Query[key].ToString());
        using var slot = reception.TakeWriterSlot(context);
        var upload = reception.Create(
            context.Principal(), request.ContentLength, resumable: false, said, metadataHeader: "");
        context.Audit().Action = "upload.complete";
        context.Audit().Target = upload.Description.MediaId;
        try
        {
            await slot.TakeBodyAsync(upload, 0);
        }
        catch when (upload.Phase == UploadPhase.Receiving)
        {
            // Nobody can come back to it.
            await upload.TerminateAsync(CancellationToken.None);
            throw;
        }

        var mediaId = upload.Description.MediaId;
        context.Response.Headers.Location = $"/v1/media/{mediaId}";
        context.Response.StatusCode = StatusCodes.Status201Created;
        await context.Response.WriteAsJsonAsync(
            new StoredAnswer(mediaId, $"/watch/{mediaId}"), context.RequestAborted);
    }
}

internal sealed record StoredAnswer(string MediaId, string WatchUrl);
