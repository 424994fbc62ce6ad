using System.Globalization;
using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Master.Http;

/// <summary>Nodes and queues for people: once, or as server-sent events whenever they have changed.</summary>
internal sealed class NodeEndpoints(
    ClusterPicture cluster, Scheduler.SchedulerClient master, TimeProvider clock)
{
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(10);


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
        http.MapPut("/v1/nodes/{node_id}/drain", endpoints.TakeOutAsync)
            .Describe(ApiGroup.Nodes, "Take a node out of use", NodeOperations.Drain)
            .RequireScope(Scope.Admin, everyTenant: true).Audited("node.drain");
        http.MapDelete("/v1/nodes/{node_id}/drain", endpoints.TakeBackAsync)
            .Describe(ApiGroup.Nodes, "Take a node into use again", NodeOperations.Undrain)
            .RequireScope(Scope.Admin, everyTenant: true).Audited("node.undrain");
    }

    private Task TakeOutAsync(HttpContext context, [FromRoute(Name = "node_id")] string nodeId)
    {
        var asked = context.Request.Query["hand_back_after_seconds"].ToString();
        if (!int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out var after) && asked.Length > 0)
        {
            throw new HexcastException(
                ErrorCodes.InvalidArgument, $"hand_back_after_seconds is '{asked}'; it is a number of seconds.");
        }

        return DrainAsync(context, new DrainRequest { NodeId = nodeId, HandBackAfterSeconds = after });
    }

    private Task TakeBackAsync(HttpContext context, [FromRoute(Name = "node_id")] string nodeId) =>
        DrainAsync(context, new DrainRequest { NodeId = nodeId, Undo = true });

    private async Task DrainAsync(HttpContext context, DrainRequest order)
    {
        try
        {
            var answer = await master.DrainAsync(
                order, deadline: clock.GetUtcNow().Add(DrainLimit).UtcDateTime,
                cancellationToken: context.RequestAborted);
            await AnswerAsync(context, ApiJson.Write(new DrainAnswer
            {
                NodeId = order.NodeId, Draining = !order.Undo, Running = answer.Running,
            }));
        }
        catch (RpcException refused) when (!context.RequestAborted.IsCancellationRequested)
        {
            throw GrpcErrors.Unwrap(refused);
        }
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
