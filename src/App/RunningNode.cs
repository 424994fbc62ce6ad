using System.Net;
using System.Security.Cryptography.X509Certificates;
using Hexcast.App.Cli;
using Hexcast.App.Client;
using Hexcast.Platform.Configuration;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.App;

/// <summary>A node in this process, the only one on its data folder.</summary>
internal sealed class RunningNode : IAsyncDisposable
{
    private const string LockName = "hexcast.lock";

    /// <summary>EWOULDBLOCK of flock(2): somebody else holds the lock.</summary>
    private const int WouldBlock = 11;

    private readonly FileStream folderLock;
    private readonly HexcastNode node;

    private RunningNode(FileStream folderLock, HexcastNode node, Uri address)
    {
        var name = Certificate(node)?.Current.GetNameInfo(X509NameType.DnsName, forIssuer: false);
        // A wildcard is no address.
        ClientAddress = string.IsNullOrEmpty(name) || name.Contains('*', StringComparison.Ordinal)
            ? address : new UriBuilder(address) { Host = name }.Uri;
        this.folderLock = folderLock;
        this.node = node;
        Address = address;
    }

    /// <summary>Where a client on this machine reaches it.</summary>
    public Uri Address { get; }

    /// <summary>The same, by the name that its certificate is for: clients compare it.</summary>
    public Uri ClientAddress { get; }

    /// <summary>
    /// A client of this very node, as its admin. Its certificate names whatever the world calls it, which is not the
    /// address here: the client takes this certificate and no other.
    /// </summary>
    public HexcastClient Connect(string dataFolder, TimeProvider clock) => new(
        Address, clock, Tokens.OfFolder(dataFolder),
        Certificate(node) is { } own ? shown => shown.RawData.AsSpan().SequenceEqual(own.Current.RawData) : null);

    /// <summary>Faults when a role's loop has died.</summary>
    public Task Died => node.Died;

    public static async Task<RunningNode> StartAsync(
        NodeSettings settings, string? configurationFile, IReadOnlyList<Target> targets, CancellationToken cancel)
    {
        var held = Lock(settings.DataFolder);
        HexcastNode? built = null;
        try
        {
            // All of it, not only what the chosen roles read: a misspelt section would be silently without effect.
            var problems = ConfigurationCheck.Problems(settings, configurationFile);
            if (problems.Count > 0)
            {
                throw new ConfigurationException(problems);
            }

            var configuration = ConfigurationSources.Load(settings.DataFolder, configurationFile);
            built = HexcastHost.Build(settings, configuration, [.. targets.Select(target => target.Module())]);
            await built.StartAsync(cancel);
            return new RunningNode(held, built, LocalAddress(settings.Http, Certificate(built) is not null));
        }
        catch (Exception failed)
        {
            if (built is not null)
            {
                await built.DisposeAsync();
            }

            await held.DisposeAsync();
            if (failed is IOException { InnerException: AddressInUseException })
            {
                throw new CliException(ExitCode.Failed, PortInUse(settings, failed.Message), failed);
            }

            throw;
        }
    }

    /// <summary>Until <paramref name="cancel"/>; throws what a role's loop died of.</summary>
    public async Task ServeAsync(CancellationToken cancel)
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = cancel.Register(cancelled.SetResult);
        await await Task.WhenAny(Died, cancelled.Task);
    }

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync();
        await folderLock.DisposeAsync();
    }

    // Two processes on one folder would each believe that they own its log and its database. The kernel drops the
    // lock with the process, however it ends.
    internal static FileStream Lock(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            return new FileStream(
                Path.Combine(folder, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException refused)
        {
            throw new CliException(
                ExitCode.Failed,
                $"cannot write to {folder}: {refused.Message} Choose another folder with --data.",
                refused);
        }
        catch (IOException taken) when (taken.HResult == WouldBlock)
        {
            throw new CliException(
                ExitCode.Failed,
                $"{folder} is in use by another hexcast. Stop that one, or choose another folder with --data.",
                taken);
        }
        catch (IOException refused)
        {
            throw new CliException(ExitCode.Failed, $"cannot use {folder}: {refused.Message}", refused);
        }
    }

    private static string PortInUse(NodeSettings settings, string message)
    {
        var (endpoint, option) = message.Contains($":{settings.Grpc.Port}:", StringComparison.Ordinal)
            ? (settings.Grpc, "--grpc") : (settings.Http, "--http");
        return $"{endpoint} is in use. Stop what listens there, or choose another address: "
            + $"{option} {endpoint.Address}:{(endpoint.Port < 65000 ? endpoint.Port + 1000 : endpoint.Port - 1000)}";
    }

    private static ServerCertificate? Certificate(HexcastNode node) => node.Services.GetService<ServerCertificate>();

    private static Uri LocalAddress(IPEndPoint http, bool tls)
    {
        var address = http.Address.Equals(IPAddress.Any) ? IPAddress.Loopback
            : http.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : http.Address;
        return new Uri($"{(tls ? "https" : "http")}://{new IPEndPoint(address, http.Port)}");
    }
}
