using Hexcast.Harness;
using Hexcast.Platform.Hosting;

namespace Hexcast.Testing;

/// <summary>A real node with the modules given, on a port of its own. Its folder outlives it.</summary>
internal sealed class RoleNode : IAsyncDisposable
{
    private readonly HostedNode node;

    private RoleNode(HostedNode node, TestAccess access, IReadOnlyList<RoleModule> modules)
    {
        (this.node, Access) = (node, access);
        Http = new HttpClient(new ContractHandler(
            string.Join('+', modules.Select(module => module.GetType().Name)),
            new SecretRecorder(new SocketsHttpHandler())))
        {
            BaseAddress = node.Address,
        };
    }

    public HttpClient Http { get; }

    public TestAccess Access { get; }

    public T Get<T>() where T : notnull => node.Get<T>();

    public static async Task<RoleNode> StartAsync(
        string folder, IReadOnlyList<RoleModule> modules, params (string Key, string Value)[] settings)
    {
        var access = new TestAccess();
        return new RoleNode(await HostedNode.StartAsync(folder, [access, .. modules], settings), access, modules);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await node.DisposeAsync();
    }
}

internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits until the condition holds; the limit is only for a test that fails.</summary>
    public static async Task HoldsAsync(Func<Task<bool>> condition, string otherwise)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > Limit)
            {
                throw new TimeoutException(otherwise);
            }

            await Task.Delay(Interval, TimeProvider.System);
        }
    }

    public static Task HoldsAsync(Func<bool> condition, string otherwise) =>
        HoldsAsync(() => Task.FromResult(condition()), otherwise);
}
