using Grpc.Core;
using Hexcast.Platform.Calls;

namespace Hexcast.Platform.Tests.Calls;

public sealed class CallGateTests
{
    private static readonly TimeSpan Start = TimeSpan.FromHours(1);

    private long lastCall;

    [Fact]
    public void A_class_gets_its_burst_at_once_and_then_its_rate()
    {
        var gate = new CallGate(new CallLimits { RatePerSecond = 10, Burst = 3, MaxRunning = 100, MaxQueued = 0 });

        for (var i = 0; i < 3; i++)
        {
            Arrive(gate, CallClass.Hd, Start).ShouldBe(Admission.Runs);
        }

        gate.Arrive(++lastCall, CallClass.Hd, Start, out var retryAfter).ShouldBe(Admission.Refused);
        retryAfter.ShouldBe(TimeSpan.FromMilliseconds(100), tolerance: TimeSpan.FromMilliseconds(0.01));
        Arrive(gate, CallClass.Hd, Start + (0.9 * retryAfter)).ShouldBe(Admission.Refused);
        Arrive(gate, CallClass.Hd, Start + retryAfter + TimeSpan.FromMilliseconds(1)).ShouldBe(Admission.Runs);
        Arrive(gate, CallClass.Hd, Start + retryAfter + TimeSpan.FromMilliseconds(1)).ShouldBe(Admission.Refused);
    }

    [Fact]
    public void A_class_that_is_over_its_rate_takes_nothing_from_the_others()
    {
        var gate = new CallGate(new CallLimits { RatePerSecond = 1, MaxRunning = 100, MaxQueued = 0 });

        Arrive(gate, CallClass.Background, Start).ShouldBe(Admission.Runs);
        Arrive(gate, CallClass.Background, Start).ShouldBe(Admission.Refused);
        Arrive(gate, CallClass.LowLatency, Start).ShouldBe(Admission.Runs);
    }

    [Fact]
    public void Idle_time_saves_up_no_more_than_the_burst()
    {
        var gate = new CallGate(new CallLimits { RatePerSecond = 1000, Burst = 2, MaxRunning = 100, MaxQueued = 0 });

        Enumerable.Range(0, 10).Count(_ => Arrive(gate, CallClass.Sd, Start + TimeSpan.FromDays(1)) == Admission.Runs)
            .ShouldBe(2);
    }

    [Fact]
    public void The_most_urgent_class_goes_first_and_within_a_class_who_came_first()
    {
        var gate = new CallGate(new CallLimits { MaxRunning = 1, MaxQueued = 2 });
        Arrive(gate, CallClass.Background, Start).ShouldBe(Admission.Runs);
        var names = new Dictionary<long, string>();
        void Wait(string name, CallClass callClass)
        {
            Arrive(gate, callClass, Start).ShouldBe(Admission.Waits);
            names[lastCall] = name;
        }

        Wait("background 1", CallClass.Background);
        Wait("sd 1", CallClass.Sd);
        Wait("hd 1", CallClass.Hd);
        Wait("hd 2", CallClass.Hd);
        var secondHd = lastCall;
        Wait("low latency 1", CallClass.LowLatency);
        Wait("background 2", CallClass.Background);
        Arrive(gate, CallClass.Background, Start).ShouldBe(Admission.Refused);
        gate.Abandon(secondHd).ShouldBeTrue();
        gate.Abandon(secondHd).ShouldBeFalse();

        var order = new List<string>();
        while (gate.Leave() is { } next)
        {
            order.Add(names[next]);
        }

        order.ShouldBe(["low latency 1", "hd 1", "sd 1", "background 1", "background 2"]);
        gate.Running.ShouldBe(0);
        gate.Waiting.ShouldBe(0);
    }

    [Fact]
    public void Whatever_comes_and_goes_no_limit_is_passed_and_no_slot_is_lost()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var gate = new CallGate(new CallLimits { MaxRunning = 1 + (seed % 4), MaxQueued = seed % 3 });
            var running = new HashSet<long>();
            var waiting = new HashSet<long>();
            for (var step = 0; step < 200; step++)
            {
                switch (random.Next(3))
                {
                    case 0:
                        var admission = Arrive(gate, (CallClass)random.Next(4), Start);
                        _ = admission == Admission.Runs ? running.Add(lastCall)
                            : admission == Admission.Waits && waiting.Add(lastCall);
                        break;
                    case 1 when running.Count > 0:
                        running.Remove(running.First());
                        if (gate.Leave() is { } next)
                        {
                            waiting.Remove(next).ShouldBeTrue();
                            running.Add(next);
                        }

                        break;
                    case 2 when waiting.Count > 0:
                        var gone = waiting.ElementAt(random.Next(waiting.Count));
                        gate.Abandon(gone).ShouldBeTrue();
                        waiting.Remove(gone);
                        break;
                }

                gate.Running.ShouldBe(running.Count);
                gate.Waiting.ShouldBe(waiting.Count);
                running.Count.ShouldBeLessThanOrEqualTo(1 + (seed % 4));
                waiting.Count.ShouldBeLessThanOrEqualTo(4 * (seed % 3));
                (waiting.Count == 0 || running.Count == 1 + (seed % 4)).ShouldBeTrue("one waits beside a free slot");
            }
        }
    }

    [Fact]
    public void What_a_limit_does_not_say_is_as_for_a_method_of_its_kind()
    {
        var rate = new CallLimits { RatePerSecond = 5 };

        rate.Of(MethodType.Unary).ShouldBe(CallLimits.OfCalls with { RatePerSecond = 5 });
        rate.Of(MethodType.ServerStreaming).ShouldBe(CallLimits.OfStreams with { RatePerSecond = 5 });
        new CallLimits { MaxQueued = 7 }.Of(MethodType.DuplexStreaming)
            .ShouldBe(CallLimits.OfStreams with { MaxQueued = 7 });
    }

    private Admission Arrive(CallGate gate, CallClass callClass, TimeSpan now) =>
        gate.Arrive(++lastCall, callClass, now, out _);
}
