using Grpc.Core;
using Hexcast.Contracts.Etcd;

namespace Hexcast.Coordination.Client.Members;

/// <summary>
/// A user's token, which all members know, and which counts before the name in a certificate. Members forget it when
/// they start anew, and five minutes after its last use; each change of users or roles outdates it. Whoever is refused
/// because of it asks for another one.
/// </summary>
internal sealed class EtcdLogin(string user, Func<string> password, TimeProvider clock) : IDisposable
{
    private const string TokenHeader = "token";

    /// <summary>etcd hashes passwords slowly, and a busy member takes its time.</summary>
    private static readonly TimeSpan LoginTime = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim oneAtATime = new(1);
    private volatile string? token;

    /// <summary>As it is now; null: nobody has logged in, or etcd knows no users.</summary>
    public string? Token => token;

    /// <summary>Nobody has logged in yet who has to.</summary>
    public bool IsDue => user.Length > 0 && token is null;

    public static bool IsStale(CoordinatorError error) =>
        error is CoordinatorError.InvalidToken or CoordinatorError.TokenOutdated;

    public static CallOptions With(CallOptions options, string? token)
    {
        if (token is null)
        {
            return options;
        }

        var headers = new Metadata { { TokenHeader, token } };
        foreach (var header in options.Headers ?? Metadata.Empty)
        {
            headers.Add(header);
        }

        return options.WithHeaders(headers);
    }

    /// <summary>Another token than the one that was refused.</summary>
    /// <returns>False: there is no user to log in as, or etcd knows no users.</returns>
    /// <exception cref="CoordinatorException">The user is refused.</exception>
    public async Task<bool> RenewAsync(MemberLink link, string? refused, CancellationToken cancellation)
    {
        if (user.Length == 0)
        {
            return false;
        }

        await oneAtATime.WaitAsync(cancellation);
        try
        {
            if (token is { } other && other != refused)
            {
                return true;
            }

            var request = new AuthenticateRequest { Name = user, Password = password() };
            var deadline = clock.GetUtcNow().UtcDateTime + LoginTime;
            var answer = await new Auth.AuthClient(link.Invoker).AuthenticateAsync(
                request, deadline: deadline, cancellationToken: cancellation);
            token = answer.Token;
            return true;
        }
        catch (RpcException failed)
        {
            var named = link.NameOf(failed);
            if (named.Error == CoordinatorError.AuthenticationOff)
            {
                return false;
            }

            throw named.Error == CoordinatorError.WrongPassword
                ? new CoordinatorException(
                    named.Error, $"{link.Member}: etcd does not know the user '{user}' with this password", failed)
                : named;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new CoordinatorException(
                CoordinatorError.WrongPassword, $"Coordination:PasswordFile: {unreadable.Message}", unreadable);
        }
        finally
        {
            oneAtATime.Release();
        }
    }

    public void Dispose() => oneAtATime.Dispose();
}
