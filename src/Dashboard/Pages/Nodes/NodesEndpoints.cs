using Grpc.Core;
using Hexcast.Dashboard.Rendering;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Wire = Hexcast.Contracts.V1;

namespace Hexcast.Dashboard.Pages.Nodes;

/// <summary>GET /nodes: nodes and queues. GET /nodes/panel: what changes of it, for the page's script.</summary>
internal sealed class NodesEndpoints(
    Wire.Scheduler.SchedulerClient scheduler, Wire.Catalog.CatalogClient catalog, PageRenderer renderer,
    TimeProvider clock)
{
    private const int FormLimitBytes = 4096;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    public void Map(IEndpointRouteBuilder http)
    {
        http.MapGet("/nodes", ShowAsync).RequireScope(Scope.Admin, everyTenant: true).Page()
            .DescribePage("Show the nodes and queues", page => page.Answers(503, "a page that says so", "text/html"));
        http.MapGet("/nodes/panel", ShowPanelAsync).RequireScope(Scope.Admin, everyTenant: true)
            .ExcludeFromDescription();
        http.MapPost("/nodes/drain", context => UseAsync(context, undo: false))
            .RequireScope(Scope.Admin, everyTenant: true).Page().Audited("node.drain").ExcludeFromDescription();
        http.MapPost("/nodes/undrain", context => UseAsync(context, undo: true))
            .RequireScope(Scope.Admin, everyTenant: true).Page().Audited("node.undrain").ExcludeFromDescription();
    }

    /// <summary>Takes the form's node out of use, or back, and shows the page again.</summary>
    private async Task UseAsync(HttpContext context, bool undo)
    {
        if (!context.Request.HasFormContentType || context.Request.ContentLength is null or > FormLimitBytes)
        {
            throw new HexcastException(
                ErrorCodes.InvalidArgument, $"Send a form of at most {FormLimitBytes} bytes.");
        }

        var node = (await context.Request.ReadFormAsync(context.RequestAborted))["node"].ToString();
        context.Audit().Target = node;
        try
        {
            await scheduler.DrainAsync(
                new Wire.DrainRequest { NodeId = node, Undo = undo },
                deadline: (clock.GetUtcNow() + Limit).UtcDateTime, cancellationToken: context.RequestAborted);
        }
        catch (RpcException failure) when (!context.RequestAborted.IsCancellationRequested)
        {
            throw GrpcErrors.Unwrap(failure);
        }

        context.Response.Headers.Location = "/nodes";
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
    }

    private async Task ShowAsync(HttpContext context)
    {
        var (view, status) = await ReadAsync(context.RequestAborted);
        await renderer.AnswerAsync<NodesPage>(context, new() { [nameof(NodesPage.View)] = view }, status);
    }

    private async Task ShowPanelAsync(HttpContext context)
    {
        var (view, status) = await ReadAsync(context.RequestAborted);
        await renderer.AnswerAsync<NodesPanel>(context, new() { [nameof(NodesPanel.View)] = view }, status);
    }

    private async Task<(NodesView View, int Status)> ReadAsync(CancellationToken cancel)
    {
        var deadline = (clock.GetUtcNow() + Limit).UtcDateTime;
        try
        {
            var nodes = await scheduler.ListNodesAsync(
                new Wire.ListNodesRequest(), deadline: deadline, cancellationToken: cancel);
            var queues = await scheduler.DescribeQueuesAsync(
                new Wire.DescribeQueuesRequest(), deadline: deadline, cancellationToken: cancel);
            var titles = await TitlesAsync(
                nodes.Nodes.SelectMany(node => node.Running).Select(attempt => attempt.MediaId)
                    .Concat(queues.Jobs.Select(job => job.MediaId)),
                deadline,
                cancel);
            return (new NodesView
            {
                Master = nodes.MasterNodeId,
                Term = nodes.Fence,
                MasterSince = nodes.MasterSince?.ToDateTimeOffset() ?? DateTimeOffset.UnixEpoch,
                Nodes =
                [
                    .. nodes.Nodes.OrderBy(node => node.NodeId, StringComparer.Ordinal)
                        .Select(node => View(node, titles)),
                ],
                Classes = [.. queues.Classes.Select(queue => new ClassView(
                    queue.Class, queue.Jobs, queue.Ready, queue.Running, queue.OldestWaitSeconds))],
                Jobs = [.. queues.Jobs.Select(job => new JobView(
                    job.MediaId, TitleOf(job.MediaId, titles), job.Tasks, job.Committed, job.Running, job.Retrying))],
                UnfinishedJobs = queues.UnfinishedJobs,
            }, StatusCodes.Status200OK);
        }
        catch (RpcException failure) when (!cancel.IsCancellationRequested)
        {
            var known = GrpcErrors.Unwrap(failure);
            var words = known.Code is ErrorCodes.Unavailable or ErrorCodes.DeadlineExceeded
                ? "No master answers at the moment: one may be being elected. Work goes on where it runs."
                : known.Message;
            return (new NodesView { Trouble = words }, ErrorCodes.HttpStatus(known.Code));
        }
    }

    // People know their media by title; without the catalogue, by id.
    private async Task<Dictionary<string, string>> TitlesAsync(
        IEnumerable<string> mediaIds, DateTime deadline, CancellationToken cancel)
    {
        var request = new Wire.ListMediaRequest();
        request.MediaIds.AddRange(mediaIds.Where(id => id.Length > 0).Distinct(StringComparer.Ordinal));
        if (request.MediaIds.Count == 0)
        {
            return [];
        }

        try
        {
            var page = await catalog.ListMediaAsync(request, deadline: deadline, cancellationToken: cancel);
            return page.Media.ToDictionary(m => m.Media.MediaId, m => m.Media.Title, StringComparer.Ordinal);
        }
        catch (RpcException) when (!cancel.IsCancellationRequested)
        {
            return [];
        }
    }

    private static string TitleOf(string mediaId, Dictionary<string, string> titles) =>
        titles.GetValueOrDefault(mediaId) is { Length: > 0 } title ? title : mediaId;

    private static NodeView View(Wire.Node node, Dictionary<string, string> titles) => new()
    {
        NodeId = node.NodeId,
        Connected = node.Connected,
        Since = node.Since?.ToDateTimeOffset() ?? DateTimeOffset.UnixEpoch,
        Draining = node.Draining,
        HandBackAt = node.HandBackAt?.ToDateTimeOffset(),
        Leaving = node.Leaving,
        Zone = node.Labels?.Zone ?? "",
        Codecs = [.. node.Labels?.Codecs ?? []],
        Classes = [.. node.Labels?.Classes ?? []],
        Slots = node.Slots,
        Running = [.. node.Running.Select(attempt => new RunningView(
            Words.Task(attempt.Kind), attempt.Attempt.TaskId, attempt.MediaId, TitleOf(attempt.MediaId, titles),
            attempt.Fraction, attempt.Speed))],
        CpuLoad = node.CpuLoad,
        MemoryFreeBytes = node.MemoryFreeBytes,
        MemoryTotalBytes = node.MemoryTotalBytes,
        ScratchFreeBytes = node.ScratchFreeBytes,
    };
}
