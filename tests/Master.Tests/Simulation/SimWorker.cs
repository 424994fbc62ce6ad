using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;
using Hexcast.Platform.ObjectStore;
using Verdict = Hexcast.Contracts.V1.ReportStatusResponse.Types.Verdict;

namespace Hexcast.Master.Tests.Simulation;

/// <summary>A worker that follows the protocol of scheduler.proto to the letter, on a bad day.</summary>
internal sealed class SimWorker(World world, string nodeId, int slots)
{
    private readonly Dictionary<AttemptKey, Held> held = [];
    private SimStream? stream;
    private int life;
    private long heardFence;

    private enum Phase
    {
        Running,
        Stopping,
        Reporting,
        Removing,
    }

    public bool Idle => held.Count == 0;

    public bool Up { get; private set; }

    public SimStream? Stream => stream;

    public void Boot()
    {
        if (Up)
        {
            return;
        }

        Up = true;
        life++;
        Connect(life);
        Beat(life);
    }

    /// <summary>kill -9: attempts are gone, what they wrote is not.</summary>
    public void Crash()
    {
        Up = false;
        life++;
        held.Clear();
        stream?.Cut();
        stream = null;
    }

    public void StreamEnded(SimStream ended)
    {
        if (Up && stream == ended)
        {
            stream = null;
            Connect(life);
        }
    }

    public void Receive(SimStream from, MasterMessage message)
    {
        if (!Up || from != stream)
        {
            return;
        }

        switch (message.MessageCase)
        {
            case MasterMessage.MessageOneofCase.Welcome:
                heardFence = Math.Max(heardFence, message.Welcome.Fence);
                break;
            case MasterMessage.MessageOneofCase.Assign:
                Take(message.Assign);
                break;
            case MasterMessage.MessageOneofCase.Cancel:
                Stop(AttemptKey.Of(message.Cancel.Attempt));
                break;
        }
    }

    private void Connect(int inLife)
    {
        if (life != inLife || stream is not null)
        {
            return;
        }

        if (world.AnyMaster() is not { } master)
        {
            world.After(world.Between(100, 1_000), () => Connect(inLife));
            return;
        }

        var opened = stream = new SimStream(world, master, this);
        var hello = new WorkerHello { NodeId = nodeId, Slots = slots };
        hello.Running.Add(Claims().Select(k => k.ToMessage()));
        opened.ToMaster(m =>
        {
            if (m.Alive)
            {
                m.Open(opened, hello);
            }
            else
            {
                opened.BreakForWorker();
            }
        });
    }

    private IEnumerable<AttemptKey> Claims() => held.Where(h => h.Value.Phase != Phase.Removing).Select(h => h.Key);

    private void Beat(int inLife) => world.After(world.Between(2_900, 3_100), () =>
    {
        if (life != inLife)
        {
            return;
        }

        var heartbeat = new WorkerHeartbeat();
        heartbeat.Tasks.Add(Claims().Select(k => new TaskProgress { Attempt = k.ToMessage(), Fraction = 0.5 }));
        if (stream is { } open)
        {
            open.ToMaster(m => m.Feed(new WorkerHeard(open.Session, heartbeat)));
        }

        Beat(inLife);
    });

    private void Take(TaskAssignment task)
    {
        heardFence = Math.Max(heardFence, task.Fence);
        var key = AttemptKey.Of(task.Attempt);
        if (!held.TryAdd(key, new Held(task)))
        {
            return;
        }

        held.Values.Count(h => h.Phase is Phase.Running or Phase.Stopping)
            .ShouldBeLessThanOrEqualTo(slots, $"{nodeId} was given more than its slots");
        world.Objects.Add(Prefix(task));
        var inLife = life;
        world.After(world.Between(10, world.Roll(0.05) ? 15_000 : 2_000), () =>
        {
            if (life == inLife && held.TryGetValue(key, out var attempt) && attempt.Phase == Phase.Running)
            {
                Finish(key, attempt);
            }
        });
    }

    private void Finish(AttemptKey key, Held attempt)
    {
        var report = new ReportStatusRequest { NodeId = nodeId, Attempt = key.ToMessage() };
        if (world.Chaos && world.Roll(0.1))
        {
            Remove(key, attempt.Task);
            report.Failure = new TaskFailure { Code = "tool_failed", Permanent = world.Roll(0.1) };
        }
        else
        {
            report.Commit = new TaskCommit { MediaSeconds = 4, WallSeconds = 1 };
            if (attempt.Task.Probe is not null)
            {
                report.Commit.Plan = SimUser.PlanOf(attempt.Task.MediaId);
            }

            if (attempt.Task.Publish is null)
            {
                report.Commit.Result = new ObjectRef { Key = Prefix(attempt.Task) };
            }
        }

        Report(key, attempt, report);
    }

    private void Stop(AttemptKey key)
    {
        if (held.TryGetValue(key, out var attempt) && attempt.Phase == Phase.Running)
        {
            attempt.Phase = Phase.Stopping;
            var inLife = life;
            world.After(world.Between(1, 200), () =>
            {
                if (life == inLife)
                {
                    Remove(key, attempt.Task);
                    Report(key, attempt, new ReportStatusRequest
                    {
                        NodeId = nodeId,
                        Attempt = key.ToMessage(),
                        Failure = new TaskFailure { Code = "cancelled" },
                    });
                }
            });
        }
    }

    private void Report(AttemptKey key, Held attempt, ReportStatusRequest report)
    {
        attempt.Phase = Phase.Reporting;
        var inLife = life;
        world.Call(
            request =>
            {
                var sent = report.Clone();
                sent.Fence = heardFence;
                return new AttemptReported(request, sent);
            },
            () => life == inLife && held.ContainsKey(key),
            (message, refusal) =>
            {
                refusal.ShouldBeNull();
                Settle(key, attempt, report, ((ReportStatusResponse)message!).Verdict);
            });
    }

    private void Settle(AttemptKey key, Held attempt, ReportStatusRequest report, Verdict verdict)
    {
        if (report.Commit is not null && verdict == Verdict.Superseded)
        {
            attempt.Phase = Phase.Removing;
            var inLife = life;
            world.After(world.Between(0, 50), () =>
            {
                if (life == inLife)
                {
                    Remove(key, attempt.Task);
                    held.Remove(key);
                }
            });
            return;
        }

        if (report.Commit is not null)
        {
            world.IsCommitted(key).ShouldBeTrue($"{key} was accepted and is not durable (I1)");
        }

        held.Remove(key);
    }

    private void Remove(AttemptKey key, TaskAssignment task)
    {
        world.IsCommitted(key).ShouldBeFalse($"{nodeId} was led to delete the committed {key}");
        world.Objects.Remove(Prefix(task));
    }

    private static string Prefix(TaskAssignment task) => ObjectKey.AttemptPrefix(
        task.MediaId, task.Version, task.Attempt.TaskId, task.Attempt.Attempt);

    private sealed class Held(TaskAssignment task)
    {
        public TaskAssignment Task { get; } = task;

        public Phase Phase { get; set; }
    }
}
