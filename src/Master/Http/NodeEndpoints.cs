using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Master.Http;

/// <summary>Nodes and queues for people: once, or as server-sent events whenever they have changed.</summary>
internal sealed class NodeEndpoints(ClusterPicture cluster, TimeProvider clock)
{
    private const int WatcherLimit = 1_000;

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

        try
        {
            await EventStream.AnswerAsync(context, TellAsync);
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

    private async Task TellAsync(EventStream stream)
    {
        ClusterPicture.Picture? sent = null;
        var sentAt = clock.GetTimestamp();
        while (true)
        {
            var now = await cluster.GetAsync().WaitAsync(stream.Ends);
            if (now != sent)
            {
                await TellChangesAsync(stream, sent, now);
                (sent, sentAt) = (now, clock.GetTimestamp());
            }
            else if (clock.GetElapsedTime(sentAt) >= EventStream.Heartbeat)
            {
                await stream.BeatAsync();
                sentAt = clock.GetTimestamp();
            }

            await Task.Delay(ClusterPicture.Interval, clock, stream.Ends);
        }
    }

    private static async Task TellChangesAsync(
        EventStream stream, ClusterPicture.Picture? sent, ClusterPicture.Picture now)
    {
        if (now.Nodes != sent?.Nodes)
        {
            await stream.SendAsync("nodes", now.Nodes);
        }

        if (now.Queues != sent?.Queues)
        {
            await stream.SendAsync("queues", now.Queues);
        }
    }
}
