using System.Globalization;
using Hexcast.Contracts;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;
using Hexcast.Platform.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Upload.Tus;

/// <summary>The tus 1.0 verbs: OPTIONS and POST on the collection, HEAD, PATCH and DELETE on an upload.</summary>
internal static class TusEndpoints
{
    private const string Collection = "/v1/uploads";

    public static void Map(IEndpointRouteBuilder http)
    {
        var reception = http.ServiceProvider.GetRequiredService<UploadReception>();
        var metadata = http.ServiceProvider.GetRequiredService<UploadMetadataReader>();
        http.Map(Collection, context => Method(context) switch
        {
            "OPTIONS" => Describe(context, reception.Options),
            "POST" when IsPlain(context.Request) => PlainUpload.TakeAsync(context, reception, metadata),
            "POST" => CreateAsync(context, reception, metadata),
            _ => NotAllowed(context, "OPTIONS, POST"),
        })
            .Describe(ApiGroup.Uploads, "Say what uploads can do", TusOperations.Options)
            .Describe(ApiGroup.Uploads, "Create an upload", TusOperations.Create)
            .RequireScope(Scope.Upload).Audited("upload.create");
        http.Map(Collection + "/{media_id}", (HttpContext context, [FromRoute(Name = "media_id")] string id) =>
            Method(context) switch
        {
            "OPTIONS" => Describe(context, reception.Options),
            "HEAD" => TellOffsetAsync(context, Find(context, reception, id)),
            "PATCH" => AppendAsync(context, reception, id),
            "DELETE" => TerminateAsync(context, reception, id),
            _ => NotAllowed(context, "OPTIONS, HEAD, PATCH, DELETE"),
        })
            .TracedUnder(context => reception.TraceOf((string)context.Request.RouteValues["media_id"]!))
            .Describe(ApiGroup.Uploads, "Ask how far an upload is", TusOperations.Offset)
            .Describe(ApiGroup.Uploads, "Append to an upload", TusOperations.Append)
            .Describe(ApiGroup.Uploads, "Remove an upload", TusOperations.Terminate)
            .RequireScope(Scope.Upload).Audited("upload.append");
    }

    private static Task Describe(HttpContext context, UploadOptions options)
    {
        context.Audit().Unremarkable = true;
        var headers = Speak(context);
        headers[TusHeaders.TusVersion] = TusHeaders.Version;
        headers[TusHeaders.TusExtension] = TusHeaders.Extensions;
        headers[TusHeaders.TusMaxSize] = Number(options.MaxSizeBytes);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private static async Task CreateAsync(
        HttpContext context, UploadReception reception, UploadMetadataReader metadata)
    {
        var headers = Speak(context);
        TusHeaders.RequireVersion(context);
        var request = context.Request;
        if (request.Headers.ContainsKey(TusHeaders.UploadDeferLength))
        {
            throw new HexcastException(
                ErrorCodes.InvalidArgument,
                "Upload-Defer-Length is not supported: send Upload-Length, or the whole file with a plain POST.");
        }

        if (request.Headers.ContainsKey(TusHeaders.UploadConcat))
        {
            throw new HexcastException(
                ErrorCodes.InvalidArgument, "Upload-Concat is not supported: send the file as one upload.");
        }

        var length = TusHeaders.RequireNumber(request, TusHeaders.UploadLength);
        var header = request.Headers[TusHeaders.UploadMetadata].ToString();
        if (HasBody(request))
        {
            TusHeaders.RequireOffsetContentType(request);
        }

        if (request.ContentLength > length)
        {
            throw new HexcastException(
                ErrorCodes.TooLarge, $"The body goes beyond the upload's length of {length} bytes.");
        }

        using var slot = HasBody(request) ? reception.TakeWriterSlot(context) : null;
        var upload = reception.Create(
            context.Principal(), length, resumable: true, metadata.ReadHeader(header), header);
        context.Audit().Target = upload.Description.MediaId;
        headers.Location = $"{Collection}/{upload.Description.MediaId}";
        SayExpiry(headers, upload, reception.Options);
        if (slot is not null)
        {
            var reached = await slot.TakeBodyAsync(upload, 0);
            headers[TusHeaders.UploadOffset] = Number(reached);
            context.Audit().Action = reached == length ? "upload.complete" : "upload.create";
        }

        context.Response.StatusCode = StatusCodes.Status201Created;
    }

    private static async Task TellOffsetAsync(HttpContext context, StoredUpload upload)
    {
        context.Audit().Unremarkable = true;
        var offset = await upload.OffsetAsync(context.RequestAborted);
        var headers = context.Response.Headers;
        headers.CacheControl = "no-store";
        headers[TusHeaders.UploadOffset] = Number(offset);
        headers[TusHeaders.UploadLength] = Number(upload.Length ?? 0);
        if (upload.Description.MetadataHeader.Length > 0)
        {
            headers[TusHeaders.UploadMetadata] = upload.Description.MetadataHeader;
        }
    }

    private static async Task AppendAsync(HttpContext context, UploadReception reception, string id)
    {
        var upload = Find(context, reception, id);
        TusHeaders.RequireOffsetContentType(context.Request);
        var offset = TusHeaders.RequireNumber(context.Request, TusHeaders.UploadOffset);
        using var slot = reception.TakeWriterSlot(context);
        context.Audit().Unremarkable = true;
        var reached = await slot.TakeBodyAsync(upload, offset);
        if (reached == upload.Length)
        {
            (context.Audit().Unremarkable, context.Audit().Action) = (false, "upload.complete");
        }

        context.Response.Headers[TusHeaders.UploadOffset] = Number(reached);
        SayExpiry(context.Response.Headers, upload, reception.Options);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static async Task TerminateAsync(HttpContext context, UploadReception reception, string id)
    {
        context.Audit().Action = "upload.terminate";
        await Find(context, reception, id).TerminateAsync(context.RequestAborted);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static Task NotAllowed(HttpContext context, string allowed)
    {
        context.Audit().Unremarkable = true;
        Speak(context).Allow = allowed;
        context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
        return Task.CompletedTask;
    }

    private static StoredUpload Find(HttpContext context, UploadReception reception, string id)
    {
        Speak(context);
        TusHeaders.RequireVersion(context);
        var upload = reception.Find(MediaId.TryParse(id, out _) ? id : "");
        return upload.Description.Resumable && context.Principal().Sees(upload.Description.Tenant)
            ? upload
            : throw new HexcastException(ErrorCodes.NotFound, "There is no such upload.");
    }

    private static IHeaderDictionary Speak(HttpContext context)
    {
        context.Response.Headers[TusHeaders.TusResumable] = TusHeaders.Version;
        return context.Response.Headers;
    }

    // tus 1.0, X-HTTP-Method-Override: for clients that can send only GET and POST. Only a POST is taken for another
    // method: a GET is not guarded as what changes anything is.
    private static string Method(HttpContext context) =>
        HttpMethods.IsPost(context.Request.Method)
            && context.Request.Headers[TusHeaders.MethodOverride] is [{ Length: > 0 } method]
            ? method.ToUpperInvariant()
            : context.Request.Method;

    // Without a type (curl -X POST -T): a body with no word of tus.
    private static bool IsPlain(HttpRequest request) =>
        !request.Headers.ContainsKey(TusHeaders.TusResumable)
        && (request.ContentType is { } type
            ? !string.Equals(type, TusHeaders.OffsetContentType, StringComparison.OrdinalIgnoreCase)
            : HasBody(request) && !request.Headers.ContainsKey(TusHeaders.UploadLength));

    private static bool HasBody(HttpRequest request) =>
        request.ContentLength > 0 || request.Headers.TransferEncoding.Count > 0;

    private static void SayExpiry(IHeaderDictionary headers, StoredUpload upload, UploadOptions options) =>
        headers[TusHeaders.UploadExpires] =
            (upload.LastActivity + options.ExpireAfter).ToString("R", CultureInfo.InvariantCulture);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
