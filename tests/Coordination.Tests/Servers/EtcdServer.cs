using Hexcast.Harness;

namespace Hexcast.Coordination.Tests.Servers;

/// <summary>A real etcd 3.4 on loopback, with its data in a temporary folder.</summary>
public sealed class EtcdServer : CoordinatorServer
{
    private readonly TemporaryFolder _folder = new();
    private EtcdMember? _member;

    protected override async Task StartAsync()
    {
        _member = (await EtcdMember.StartAsync(_folder.Path))[0];
        Address = _member.Address;
    }

    protected override async Task StopAsync()
    {
        if (_member is not null)
        {
            await _member.DisposeAsync();
        }

        _folder.Dispose();
    }
}
