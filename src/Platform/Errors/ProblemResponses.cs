using Grpc.Core;
using Hexcast.Platform.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hexcast.Platform.Errors;

/// <summary>The code that a request was answered with, for whoever looks at the answer as it leaves.</summary>
public sealed record ProblemCode(string Code);

/// <summary>
/// The HTTP boundary: every failure leaves as RFC 9457 problem details with a stable code, or as a page where a person
/// in a browser asked for one.
/// </summary>
public static class ProblemResponses
{
    /// <summary>What programs call; whoever opens one of these in a browser sees what they would.</summary>
    private static readonly PathString[] Programs =
        ["/v1", "/play", "/openapi", "/metrics", "/debug", "/assets", "/healthz", "/readyz", "/schedule"];

    public static void UseProblemResponses(this IApplicationBuilder app, ILogger log) => app.Use(
        async (context, next) =>
    {
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client left: nobody reads an answer.
        }
        catch (HexcastException failure)
        {
            await WriteProblemAsync(context, failure.Code, failure.Message);
        }
        catch (RpcException failure)
        {
            var known = GrpcErrors.Unwrap(failure);
            await WriteProblemAsync(context, known.Code, known.Message);
        }
        catch (BadHttpRequestException failure)
        {
            await WriteProblemAsync(
                context,
                failure.StatusCode == StatusCodes.Status413PayloadTooLarge
                    ? ErrorCodes.TooLarge : ErrorCodes.InvalidArgument,
                failure.Message);
        }
        catch (IOException failure) when (StorageFaults.IsFull(failure))
        {
            await WriteProblemAsync(context, ErrorCodes.StorageFull, StorageFaults.FullMessage);
        }
        catch (Exception failure)
        {
            log.LogError(failure, "{Method} {Path} failed", context.Request.Method, context.Request.Path);
            await WriteProblemAsync(
                context, ErrorCodes.Internal, "The server failed. Its log has the cause.");
        }
    });

    /// <summary>Writes the problem; where the response has begun, cuts the connection, which a client sees.</summary>
    public static async Task WriteProblemAsync(HttpContext context, string code, string detail)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        context.Features.Set(new ProblemCode(code));
        // Headers already set on purpose (tus, CORS, WWW-Authenticate) stay; those that describe a body do not.
        context.Response.Headers.ContentLength = null;
        context.Response.Headers.ETag = default;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.StatusCode = ErrorCodes.HttpStatus(code);
        if (WantsPage(context) && context.RequestServices.GetService<IProblemPages>() is { } pages)
        {
            ResponseHeaders.SetPage(context);
            await pages.AnswerAsync(context, code, detail);
            return;
        }

        await context.Response.WriteAsJsonAsync(
            new
            {
                type = "about:blank",
                title = code.Replace('_', ' '),
                status = context.Response.StatusCode,
                code,
                detail,
            },
            options: null,
            contentType: "application/problem+json",
            context.RequestAborted);
    }
    // A page that failed, its form included, or an address where nothing is: not one of the API's.
    private static bool WantsPage(HttpContext context)
    {
        var request = context.Request;
        if (!request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        return context.GetEndpoint() is RouteEndpoint endpoint
            ? endpoint.Metadata.GetMetadata<PageRule>() is not null
            : (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
                && !Programs.Any(path => request.Path.StartsWithSegments(path, StringComparison.Ordinal));
    }
}
