using System.Diagnostics.Metrics;
using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;
using Hexcast.Platform.Telemetry;

namespace Hexcast.Master;

/// <summary>How much waits and who works, asked of the scheduler before each scrape. Nothing where it is not led.
/// </summary>
internal sealed class QueueMetrics : IScrapeProbe
{
    private readonly Mastership mastership;
    private volatile DescribeQueuesResponse queues = new();
    private volatile ListNodesResponse nodes = new();
    private volatile bool leads;

    public QueueMetrics(Mastership mastership, IMeterFactory meters)
    {
        this.mastership = mastership;
        var meter = meters.Create("Hexcast.Master");
        meter.CreateObservableGauge(
            "transcode.queue.length", () => Each(queue => queue.Ready), "{task}",
            "Tasks that wait for a slot, by class");
        meter.CreateObservableGauge(
            "transcode.queue.oldest_wait", () => Each(queue => queue.OldestWaitSeconds), "s",
            "How long the task waits that waits longest, by class");
        meter.CreateObservableGauge(
            "transcode.tasks.running", () => Each(queue => queue.Running), "{task}",
            "Tasks that workers have, by class");
        meter.CreateObservableGauge(
            "transcode.jobs", () => Each(queue => queue.Jobs), "{job}", "Jobs that have not ended, by class");
        meter.CreateObservableGauge(
            "transcode.workers", () => new[] { Workers(connected: true), Workers(connected: false) }, "{worker}",
            "Workers that the master knows, by state");
        meter.CreateObservableGauge(
            "transcode.slots", () => nodes.Nodes.Where(node => node.Connected).Sum(node => node.Slots), "{slot}",
            "Slots of the workers that are connected");
        meter.CreateObservableGauge(
            "master.leads", () => leads ? 1 : 0, unit: null, "1 where this node is the master");
    }

    public async Task MeasureAsync(CancellationToken cancel)
    {
        leads = mastership.IsMaster;
        if (!leads)
        {
            (queues, nodes) = (new DescribeQueuesResponse(), new ListNodesResponse());
            return;
        }

        var term = mastership.Current;
        queues = await term.AskAsync<DescribeQueuesResponse>(number => new QueuesAsked(number), cancel);
        nodes = await term.AskAsync<ListNodesResponse>(number => new NodesAsked(number), cancel);
    }

    private IEnumerable<Measurement<double>> Each(Func<ClassQueue, double> figure) => queues.Classes.Select(
        queue => new Measurement<double>(figure(queue), new KeyValuePair<string, object?>("class", queue.Class)));

    private Measurement<int> Workers(bool connected) => new(
        nodes.Nodes.Count(node => node.Connected == connected),
        new KeyValuePair<string, object?>("state", connected ? "connected" : "away"));
}
