using Grpc.Core;
using Hexcast.Contracts;
using Hexcast.Contracts.V1;
using Verdict = Hexcast.Contracts.V1.ReportStatusResponse.Types.Verdict;

namespace Hexcast.Worker.Tests;

/// <summary>Which reports go together, against a master that answers when the test says so.</summary>
public sealed class ReportBatchesTests
{
    private readonly HandMaster master = new();
    private readonly HandClock clock = new();
    private readonly ReportBatches batches;

    public ReportBatchesTests() => batches = new ReportBatches(master, clock);

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Reports_that_come_while_one_is_under_way_go_together_once_it_is_answered()
    {
        var first = Report("a");
        await UntilAsync("a");
        var (second, third) = (Report("b"), Report("c"));

        master.Answer(Verdict.Accepted);
        (await first).ShouldBe(Verdict.Accepted);
        await UntilAsync("a", "b c");
        master.Answer(Verdict.Superseded, Verdict.Accepted);

        (await second).ShouldBe(Verdict.Superseded);
        (await third).ShouldBe(Verdict.Accepted);
    }

    [Fact]
    public async Task A_call_that_is_not_answered_holds_up_others_for_a_moment_only()
    {
        var first = Report("a");
        await UntilAsync("a");
        var second = Report("b");
        await clock.PassAsync(ReportBatches.WaitLimit);

        await UntilAsync("a", "b");
        master.Answer(Verdict.Accepted);
        master.Answer(Verdict.Superseded);
        (await Task.WhenAll(first, second)).ShouldBe([Verdict.Accepted, Verdict.Superseded]);
    }

    [Fact]
    public async Task A_report_that_was_not_judged_among_others_is_made_alone_and_its_error_is_its_own()
    {
        var (second, third) = await TogetherAsync();
        master.Answer(Verdict.Unspecified, Verdict.Accepted);

        (await third).ShouldBe(Verdict.Accepted);
        await UntilAsync("a", "b c", "b");
        master.Fail(StatusCode.Unavailable);
        (await Should.ThrowAsync<RpcException>(second)).StatusCode.ShouldBe(StatusCode.Unavailable);
    }

    [Theory]
    [InlineData(StatusCode.Unimplemented)]
    [InlineData(StatusCode.InvalidArgument)]
    public async Task A_master_that_takes_no_such_batch_gets_each_report_alone(StatusCode refusal)
    {
        var (second, third) = await TogetherAsync();
        master.Fail(refusal);

        await UntilAsync("a", "b c", "b", "c");
        master.Answer(Verdict.Accepted);
        master.Answer(Verdict.Superseded);
        (await Task.WhenAll(second, third)).ShouldBe([Verdict.Accepted, Verdict.Superseded]);
    }

    [Fact]
    public async Task A_batch_that_nobody_answered_failed_for_each_of_it_and_holds_up_nobody_after_it()
    {
        var (second, third) = await TogetherAsync();
        master.Fail(StatusCode.Unavailable);

        foreach (var report in (Task<Verdict>[])[second, third])
        {
            (await Should.ThrowAsync<RpcException>(report)).StatusCode.ShouldBe(StatusCode.Unavailable);
        }

        var next = Report("d");
        await UntilAsync("a", "b c", "d");
        master.Answer(Verdict.Accepted);
        (await next).ShouldBe(Verdict.Accepted);
    }

    [Fact]
    public async Task What_would_outgrow_a_message_goes_alone_and_what_is_too_many_in_several_calls()
    {
        var first = Report("a");
        await UntilAsync("a");
        var large = Report("large", new string('x', ReportBatches.SizeLimitBytes));
        await UntilAsync("a", "large");
        var many = Enumerable.Range(0, ReportBatch.ReportLimit + 2).Select(i => Report($"{i}")).ToList();
        master.Answer(Verdict.Accepted);
        master.Answer(Verdict.Accepted);
        await Task.WhenAll(first, large);

        await Wait.UntilAsync(() => master.Calls.Count == 4);
        master.Calls.Select(call => call.Split(' ').Length).ShouldBe([1, 1, ReportBatch.ReportLimit, 2]);
        master.Answer([.. Enumerable.Repeat(Verdict.Accepted, ReportBatch.ReportLimit)]);
        master.Answer(Verdict.Accepted, Verdict.Accepted);
        (await Task.WhenAll(many)).ShouldAllBe(verdict => verdict == Verdict.Accepted);
    }

    [Fact]
    public async Task Whoever_gives_up_the_first_of_a_batch_gives_up_the_batch_and_nothing_after_it()
    {
        using var stop = new CancellationTokenSource();
        var first = Report("a");
        await UntilAsync("a");
        var second = Report("b", cancel: stop.Token);
        var third = Report("c");
        await stop.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(second);
        await Should.ThrowAsync<OperationCanceledException>(third);
        master.Answer(Verdict.Accepted);
        var next = Report("d");
        await UntilAsync("a", "d");
        master.Answer(Verdict.Accepted);
        (await Task.WhenAll(first, next)).ShouldAllBe(verdict => verdict == Verdict.Accepted);
    }

    [Fact]
    public async Task Whoever_gives_up_another_one_does_not_keep_it_from_going()
    {
        using var stop = new CancellationTokenSource();
        var first = Report("a");
        await UntilAsync("a");
        var second = Report("b");
        var third = Report("c", cancel: stop.Token);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(third);

        master.Answer(Verdict.Accepted);
        await UntilAsync("a", "b c");
        master.Answer(Verdict.Superseded, Verdict.Accepted);
        (await Task.WhenAll(first, second)).ShouldBe([Verdict.Accepted, Verdict.Superseded]);
    }

    /// <summary>Two reports that are on their way in one call.</summary>
    private async Task<(Task<Verdict> Second, Task<Verdict> Third)> TogetherAsync()
    {
        var first = Report("a");
        await UntilAsync("a");
        var (second, third) = (Report("b"), Report("c"));
        master.Answer(Verdict.Accepted);
        await first;
        await UntilAsync("a", "b c");
        return (second, third);
    }

    private Task<Verdict> Report(
        string task, string words = "", CancellationToken cancel = default) => batches.ReportAsync(
        new ReportStatusRequest
        {
            Attempt = new AttemptRef { TaskId = task }, Failure = new TaskFailure { Message = words },
        },
        cancel).WaitAsync(Limit, Cancel);

    private Task UntilAsync(params string[] calls) => Wait.UntilAsync(() => master.Calls.SequenceEqual(calls));

    private sealed class HandMaster : Scheduler.SchedulerClient
    {
        private readonly List<string> calls = [];
        private readonly Queue<Action<Exception?, Verdict[]>> unanswered = [];

        /// <summary>The tasks that each call was about.</summary>
        public IReadOnlyList<string> Calls
        {
            get
            {
                lock (calls)
                {
                    return [.. calls];
                }
            }
        }

        /// <summary>Answers the oldest call.</summary>
        public void Answer(params Verdict[] verdicts) => Take()(null, verdicts);

        public void Fail(StatusCode status) => Take()(new RpcException(new Status(status, "as the test says")), []);

        public override AsyncUnaryCall<ReportStatusResponse> ReportStatusAsync(
            ReportStatusRequest request, Metadata? headers = null, DateTime? deadline = null,
            CancellationToken cancellationToken = default) => Call(
                [request], verdicts => new ReportStatusResponse { Verdict = verdicts.ShouldHaveSingleItem() },
                cancellationToken);

        public override AsyncUnaryCall<BatchReportStatusResponse> BatchReportStatusAsync(
            BatchReportStatusRequest request, Metadata? headers = null, DateTime? deadline = null,
            CancellationToken cancellationToken = default) => Call(
                request.Requests,
                verdicts => new BatchReportStatusResponse
                {
                    Responses = { verdicts.Select(verdict => new ReportStatusResponse { Verdict = verdict }) },
                },
                cancellationToken);

        private Action<Exception?, Verdict[]> Take()
        {
            lock (calls)
            {
                return unanswered.Dequeue();
            }
        }

        private AsyncUnaryCall<T> Call<T>(
            IEnumerable<ReportStatusRequest> reports, Func<Verdict[], T> answer, CancellationToken cancel)
        {
            cancel.ThrowIfCancellationRequested();
            var answered = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (calls)
            {
                calls.Add(string.Join(' ', reports.Select(report => report.Attempt.TaskId)));
                unanswered.Enqueue((failure, verdicts) =>
                {
                    if (failure is null)
                    {
                        answered.SetResult(answer(verdicts));
                    }
                    else
                    {
                        answered.SetException(failure);
                    }
                });
            }

            return new AsyncUnaryCall<T>(
                answered.Task, Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });
        }
    }

    private sealed class HandClock : TimeProvider
    {
        private readonly List<(TimeSpan Due, TimerCallback Callback, object? State)> timers = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            lock (timers)
            {
                timers.Add((dueTime, callback, state));
            }

            return System.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        /// <summary>Lets somebody wait for that long, and then no longer.</summary>
        public async Task PassAsync(TimeSpan time)
        {
            await Wait.UntilAsync(() => Waiting(time) is not null);
            var (_, callback, state) = Waiting(time)!.Value;
            callback(state);
        }

        private (TimeSpan Due, TimerCallback Callback, object? State)? Waiting(TimeSpan time)
        {
            lock (timers)
            {
                return timers.Find(timer => timer.Due == time) is { Callback: not null } found ? found : null;
            }
        }
    }
}
