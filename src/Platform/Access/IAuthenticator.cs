using Hexcast.Platform.Errors;
using Microsoft.AspNetCore.Http;

namespace Hexcast.Platform.Access;

/// <summary>Knows credentials. The role Access does; the pipeline of every node asks it.</summary>
public interface IAuthenticator
{
    /// <param name="mayRenew">The answer is this client's own, so that it may carry a new cookie.</param>
    /// <returns>Null: the request shows no credential.</returns>
    /// <exception cref="HexcastException">
    /// credential_invalid, credential_expired, too_many_attempts; unavailable while credentials cannot be looked up.
    /// </exception>
    ValueTask<Principal?> AuthenticateAsync(HttpContext context, bool mayRenew);

    /// <summary>
    /// Cancelled when the principal's token or session is over, revoked or signed out: streams and uploads end with it.
    /// </summary>
    ValueTask<CancellationToken> EndOfAsync(Principal principal, CancellationToken cancel);
}
