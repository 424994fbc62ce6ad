using Grpc.Core;
using Grpc.Net.Client;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Client.Members;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Embedded.Peers;
using Hexcast.Platform.Configuration;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Identity;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hexcast.Coordination.Embedded;

/// <param name="Address">host:port at which the other members reach this one.</param>
/// <param name="Join">Addresses of nodes whose group this one joins; empty: it begins one.</param>
/// <param name="Open">A channel to another node.</param>
internal sealed record EmbeddedCoordinatorSettings(
    string Directory, string ClusterName, string NodeName, string Address, CoordinatorLimits Limits,
    IReadOnlyList<string> Join, Func<string, GrpcChannel> Open)
{
    /// <summary>Whoever leads the log is the master, so a node that cannot be that may not vote.</summary>
    public bool MayLead { get; init; } = true;

    /// <summary>Of the nodes' addresses.</summary>
    public string Scheme { get; init; } = "http";

    /// <summary>What shows, without the directory, that others may have a copy of what was in it; null: nothing does.
    /// </summary>
    public string? Shared { get; init; }

    /// <summary>How often a node that is no member asks who they are, and whether a place is free.</summary>
    public TimeSpan PlaceInterval { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>
/// The embedded coordinator's life in a process. A group of one is recovered and leading before
/// <see cref="StartAsync"/> returns, so before any role that is started after it; a node that is to join a larger one
/// is let in before, or asks the members from elsewhere until one of them is removed and it takes the place. If it can
/// no longer write, its task faults, and the process ends.
/// </summary>
internal sealed class EmbeddedCoordinatorHolder(
    EmbeddedCoordinatorSettings settings, TimeProvider clock, ILogger<EmbeddedCoordinatorHolder> logger)
    : BackgroundService
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan JoinLimit = TimeSpan.FromSeconds(10);

    private readonly TaskCompletionSource _fatal = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private FileDisk? _disk;
    private PeerLinks? _links;
    private CoordinatorMembers? _members;
    private Whereabouts? _whereabouts;
    private MemberRecord _record = new();
    private volatile EmbeddedCoordinator? _coordinator;
    private volatile Requests? _requests;

    public EmbeddedCoordinatorSettings Settings => settings;

    public PeerSelf Self { get; private set; } = new(settings.ClusterName, 0, settings.Address);

    public EmbeddedCoordinator Coordinator => _coordinator ?? throw NotHere();

    public Requests Requests => _requests ?? throw NotHere();

    public bool IsMember => _coordinator is not null;

    /// <summary>Where the members answer, on a node that was none of them when it started.</summary>
    public CallInvoker? Elsewhere { get; private set; }

    public void Meet(ulong member, string address) => _links?.Meet(member, address);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var disk = _disk = new FileDisk(settings.Directory);
        var record = _record = LoadOrBegin(disk);
        var isMember = record.Founded || HardStates.Of(record.HardState).Term > 0;
        if (isMember && !settings.MayLead)
        {
            throw new ConfigurationException([
                $"--target: {settings.NodeName} votes for the master of the cluster and may become it, so it has to " +
                "run the role master too."]);
        }
        Self = Self with { Id = record.Id, Group = record.Group };
        // Who has heard a leader belongs to its group, and has a log to read.
        if (!isMember)
        {
            var joined = await JoinAsync(cancellationToken);
            Remember(disk, joined);
            isMember = joined.IsMember;
        }
        await (isMember ? TakePartAsync(disk, cancellationToken) : AskTheMembersAsync(cancellationToken));
        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (_coordinator is { } coordinator)
        {
            (_coordinator, _requests) = (null, null);
            await coordinator.DisposeAsync();
        }
        if (_links is not null)
        {
            await _links.DisposeAsync();
        }
        if (_members is not null)
        {
            await _members.StopAsync(cancellationToken);
        }
        _disk?.Dispose();
    }

    public override void Dispose()
    {
        _members?.Dispose();
        _disk?.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await await Task.WhenAny(FollowGroupAsync(_disk!, stoppingToken), _fatal.Task);
    }

    private RpcException NotHere() => Elsewhere is null
        ? EmbeddedCoordinator.Refusal(CoordinatorError.Stopped)
        : new RpcException(new Status(
            StatusCode.Unavailable, "This node is no member of the coordinator's group; ask one that is."));

    private MemberRecord LoadOrBegin(FileDisk disk)
    {
        if (MemberFile.TryLoad(disk, out var isDamaged) is { } known)
        {
            return known.GoingAlone ? throw LostMember.RecoveryInterrupted(settings) : known;
        }
        if (isDamaged)
        {
            throw LostMember.FileDamaged(settings);
        }
        var hasLog = disk.List().Any(name => Segment.Parse(name) is not null);
        if (!hasLog && settings is { Join.Count: 0, Shared: not null })
        {
            throw LostMember.DirectoryEmpty(settings);
        }
        var firstId = MemberIdentity.FirstVersionsId(settings.ClusterName, settings.NodeName);
        if (hasLog && GroupOfOne.MembersOf(LogReading.Of(disk, mustBeThere: true).Recovered) is { Count: > 0 } members
            && !members.Contains(firstId))
        {
            // No log of the first versions: its members had ids already.
            throw LostMember.FileDamaged(settings);
        }
        var isNew = !hasLog && settings.Join.Count == 0;
        var record = new MemberRecord
        {
            Founded = hasLog || isNew,
            // Who joins a group is told which.
            Group = isNew ? MemberIdentity.NewGroup() : 0,
            // The first versions had no other id: whoever has lost its disk must not come back as what it was.
            Id = hasLog
                ? firstId
                : MemberIdentity.NewId(
                    settings.ClusterName, settings.NodeName, Convert.ToHexString(IdSource.NewSecret(16))),
        };
        Save(disk, record);
        return record;
    }

    private static void Save(FileDisk disk, MemberRecord record)
    {
        if (!MemberFile.TrySave(disk, record))
        {
            throw new CoordinatorDataException(
                $"The coordinator cannot start: {Platform.Errors.StorageFaults.FullMessage}");
        }
    }

    private void Remember(FileDisk disk, JoinGroupResponse answer)
    {
        var news = answer.Members.Select(member =>
            new SavedMember { Id = member.Id, Node = member.Node, Address = member.Address }).ToList();
        if (!news.SequenceEqual(_record.Members) || answer.Group != _record.Group)
        {
            _record.Group = answer.Group;
            _record.Members.Clear();
            _record.Members.AddRange(news);
            Save(disk, _record);
        }
        Self = Self with { Group = answer.Group };
    }

    private async Task<JoinGroupResponse> JoinAsync(CancellationToken cancellation)
    {
        var backoff = new Backoff(FirstRetry, LastRetry, clock);
        while (true)
        {
            var addresses = settings.Join.Concat(_record.Members.Select(member => member.Address)).Distinct();
            foreach (var address in addresses.Where(address => address != settings.Address))
            {
                using var channel = settings.Open(address);
                try
                {
                    return await AskForPlaceAsync(channel.CreateCallInvoker(), cancellation);
                }
                catch (RpcException refused) when (refused.StatusCode is StatusCode.AlreadyExists)
                {
                    throw new CoordinatorDataException($"This node cannot join the cluster: {refused.Status.Detail}");
                }
                catch (RpcException refused) when (!cancellation.IsCancellationRequested)
                {
                    logger.LogWarning(
                        "{Address} has not let this node join yet: {Reason}", address, refused.Status.Detail);
                }
            }
            await backoff.WaitAsync(cancellation);
        }
    }

    private async Task<JoinGroupResponse> AskForPlaceAsync(CallInvoker member, CancellationToken cancellation)
    {
        var request = new JoinGroupRequest
        {
            Id = _record.Id, Node = settings.NodeName, Address = settings.Address, MayLead = settings.MayLead,
        };
        var deadline = clock.GetUtcNow().UtcDateTime + JoinLimit;
        return await new Membership.MembershipClient(member)
            .JoinGroupAsync(request, Self.Headers(), deadline, cancellation);
    }

    /// <summary>
    /// A node that was no member when it started goes on asking the others for what it wants to know, also once it is
    /// one; so it keeps up with who they are. A member that they look for elsewhere tells them where it is.
    /// </summary>
    private async Task FollowGroupAsync(FileDisk disk, CancellationToken stop)
    {
        if (_whereabouts is { HaveChanged: true })
        {
            await _whereabouts.TellAsync(Coordinator.Standing, stop);
        }
        using var timer = new PeriodicTimer(settings.PlaceInterval, clock);
        while (await timer.WaitForNextTickAsync(stop))
        {
            if (_coordinator?.Standing is { } standing)
            {
                _members?.Use([.. standing.Known.Where(known => standing.Members.Contains(known.Id))
                    .Select(known => known.Address)]);
                if (standing.IsSoughtElsewhere)
                {
                    await _whereabouts!.TellAsync(standing, stop);
                }
                continue;
            }
            try
            {
                var answer = await AskForPlaceAsync(Elsewhere!, stop);
                Remember(disk, answer);
                _members!.Use([.. answer.Members.Select(member => member.Address)]);
                if (answer.IsMember)
                {
                    logger.LogInformation("The group has a place again; this node takes it");
                    await TakePartAsync(disk, stop);
                }
            }
            catch (RpcException refused) when (!stop.IsCancellationRequested)
            {
                logger.LogDebug("Nobody says who the members are: {Reason}", refused.Status.Detail);
            }
        }
    }

    private async Task AskTheMembersAsync(CancellationToken cancellation)
    {
        var nodes = string.Join(", ", _record.Members.Select(member => member.Node));
        logger.LogInformation("The group has enough members; this node asks {Members}", nodes);
        var login = new EtcdLogin(user: "", () => "", clock);
        _members = new CoordinatorMembers(
            [.. _record.Members.Select(member => member.Address)],
            (address, _) => new MemberLink(address, settings.Open(address), _ => null),
            login, clock, logger);
        await _members.StartAsync(cancellation);
        Elsewhere = new MembersInvoker(_members, login);
    }

    private async Task TakePartAsync(FileDisk disk, CancellationToken cancellation)
    {
        var links = _links = new PeerLinks(Self, settings.Open, id => _coordinator?.Miss(id), clock, logger);
        var seed = BitConverter.ToUInt64(IdSource.NewSecret(8));
        var host = new CoordinatorHost(clock, logger, exception => _fatal.TrySetException(exception), seed);
        var identity = new MemberIdentity(settings.ClusterName, settings.NodeName, _record.Id, settings.Address);
        var isAlone = MemberFile.IsAlone(_record);
        // From the start on the record is the log's.
        _whereabouts = new Whereabouts(settings, Self, [.. _record.Members], clock, logger);
        var coordinator = EmbeddedCoordinator.Start(disk, identity, _record, settings.Limits, links, host);
        (_coordinator, _requests) = (coordinator, new Requests(coordinator, links, clock));
        if (isAlone)
        {
            await coordinator.Established.WaitAsync(cancellation);
        }
    }
}
