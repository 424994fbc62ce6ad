using System.Text;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Hexcast.Master.Http;

/// <summary>Nodes and queues for people: once, or as server-sent events whenever they have changed.</summary>
internal sealed class NodeEndpoints(ClusterPicture cluster, TimeProvider clock, IHostApplicationLifetime lifetime)
{
    private const int WatcherLimit = 1_000;

    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    private int watchers;

    public static void Map(IEndpointRouteBuilder http)
    {
        var endpoints = http.ServiceProvider.GetRequiredService<NodeEndpoints>();
        http.MapGet("/v1/nodes", endpoints.NodesAsync)
            .Describe(ApiGroup.Nodes, "List nodes", NodeOperations.List)
            .RequireScope(Scope.Admin, everyTenant: true);
        http.MapGet("/v1/queues", endpoints.QueuesAsync)
            .Describe(ApiGroup.Nodes, "Show the queues", NodeOperations.Queues)
            .RequireScope(Scope.Admin, everyTenant: true);
        http.MapGet("/v1/nodes/events", endpoints.StreamAsync)
            .Describe(ApiGroup.Nodes, "Follow nodes and queues", NodeOperations.Follow)
            .RequireScope(Scope.Admin, everyTenant: true);
    }

    private async Task NodesAsync(HttpContext context) =>
        await AnswerAsync(context, (await cluster.GetAsync().WaitAsync(context.RequestAborted)).Nodes);

    private async Task QueuesAsync(HttpContext context) =>
        await AnswerAsync(context, (await cluster.GetAsync().WaitAsync(context.RequestAborted)).Queues);

    private static Task AnswerAsync(HttpContext context, string json)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.Headers.CacheControl = "no-cache";
        return context.Response.WriteAsync(json, context.RequestAborted);
    }

    private async Task StreamAsync(HttpContext context)
    {
        // Says that this is not the master before anything is sent.
        await cluster.GetAsync().WaitAsync(context.RequestAborted);
        if (Interlocked.Increment(ref watchers) > WatcherLimit)
        {
            Interlocked.Decrement(ref watchers);
            throw new HexcastException(ErrorCodes.ResourceExhausted, "Too many watch the nodes.");
        }

        using var ends = CancellationTokenSource.CreateLinkedTokenSource(
            context.RequestAborted, lifetime.ApplicationStopping);
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        try
        {
            await StreamAsync(context.Response, ends.Token);
        }
        catch (OperationCanceledException) when (ends.IsCancellationRequested)
        {
            // The client left, or the host stops: the client comes back by itself.
        }
        catch (HexcastException gone) when (gone.Code == ErrorCodes.Unavailable)
        {
            // Another node is the master now, or will be: the client asks again and is told.
        }
        finally
        {
            Interlocked.Decrement(ref watchers);
        }
    }

    private async Task StreamAsync(HttpResponse response, CancellationToken ends)
    {
        ClusterPicture.Picture? sent = null;
        var sentAt = clock.GetTimestamp();
        while (true)
        {
            var now = await cluster.GetAsync().WaitAsync(ends);
            var text = (now.Nodes == sent?.Nodes ? "" : $"event: nodes\ndata: {now.Nodes}\n\n")
                + (now.Queues == sent?.Queues ? "" : $"event: queues\ndata: {now.Queues}\n\n");
            if (text.Length == 0 && clock.GetElapsedTime(sentAt) >= Heartbeat)
            {
                text = ": still here\n\n";
            }

            if (text.Length > 0)
            {
                await response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), ends);
                await response.Body.FlushAsync(ends);
                (sent, sentAt) = (now, clock.GetTimestamp());
            }

            await Task.Delay(ClusterPicture.Interval, clock, ends);
        }
    }
}
