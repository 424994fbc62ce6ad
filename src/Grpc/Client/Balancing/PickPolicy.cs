using Grpc.Core;

namespace Grpc.Net.Client.Balancer;

/// <summary>Which subchannel a call takes, and which ones connect.</summary>
abstract class PickPolicy
{
    /// <summary>Lost and failed connections are made anew though no call asks for them.</summary>
    public abstract bool KeepsConnected { get; }

    /// <summary>One that is ready, or null.</summary>
    public abstract Subchannel? Pick(IReadOnlyList<Subchannel> subchannels);

    /// <param name="subchannels">In the resolver's order.</param>
    /// <param name="canStart">Whether one may start to connect.</param>
    public abstract IEnumerable<Subchannel> ToConnect(
        IReadOnlyList<Subchannel> subchannels, Func<Subchannel, bool> canStart);

    /// <summary>Of all together: the best there is.</summary>
    public static ConnectivityState StateOf(IReadOnlyList<Subchannel> subchannels)
    {
        foreach (var state in (ReadOnlySpan<ConnectivityState>)
            [ConnectivityState.Ready, ConnectivityState.Connecting, ConnectivityState.Idle])
        {
            foreach (var subchannel in subchannels)
            {
                if (subchannel.State == state)
                    return state;
            }
        }

        return subchannels.Count == 0 ? ConnectivityState.Idle : ConnectivityState.TransientFailure;
    }
}

/// <summary>The first address that can be reached, tried one after another; the others only once it is lost.</summary>
sealed class PickFirst : PickPolicy
{
    public override bool KeepsConnected => false;

    public override Subchannel? Pick(IReadOnlyList<Subchannel> subchannels)
    {
        for (var i = 0; i < subchannels.Count; i++)
        {
            if (subchannels[i].State == ConnectivityState.Ready)
                return subchannels[i];
        }

        return null;
    }

    public override IEnumerable<Subchannel> ToConnect(
        IReadOnlyList<Subchannel> subchannels, Func<Subchannel, bool> canStart) =>
        subchannels.Any(one => one.State is ConnectivityState.Ready or ConnectivityState.Connecting)
            ? []
            : subchannels.Where(canStart).Take(1);
}

/// <summary>All addresses that can be reached, in turn.</summary>
sealed class RoundRobin : PickPolicy
{
    int _last = -1;

    public override bool KeepsConnected => true;

    public override Subchannel? Pick(IReadOnlyList<Subchannel> subchannels)
    {
        for (var i = 1; i <= subchannels.Count; i++)
        {
            var index = (_last + i) % subchannels.Count;
            if (subchannels[index].State == ConnectivityState.Ready)
            {
                _last = index;
                return subchannels[index];
            }
        }

        return null;
    }

    public override IEnumerable<Subchannel> ToConnect(
        IReadOnlyList<Subchannel> subchannels, Func<Subchannel, bool> canStart) => subchannels.Where(canStart);
}
