using System.Text.RegularExpressions;
using Google.Protobuf;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;

namespace Hexcast.Access.Credentials;

/// <summary>What a token may be.</summary>
internal static partial class TokenRules
{
    public const int NameLimit = 100;
    private static readonly TimeSpan LongestLife = TimeSpan.FromDays(3650);

    /// <exception cref="HexcastException">invalid_argument; scope_missing: more than its maker may.</exception>
    public static AccessToken Make(TokenRequest asked, Principal maker, Secret secret, DateTimeOffset now)
    {
        var name = asked.Name?.Trim() ?? "";
        if (name.Length is 0 or > NameLimit || name.Any(char.IsControl))
        {
            throw Bad($"name must be 1 to {NameLimit} characters, none of them a control character.");
        }

        var scopes = (asked.Scopes ?? []).Distinct(StringComparer.Ordinal).ToList();
        if (scopes.Count == 0 || !scopes.All(scope => Scopes.TryParse(scope, out _)))
        {
            throw Bad($"scopes must name at least one of {string.Join(", ", Scopes.Names)}, and nothing else.");
        }

        var isAdmin = scopes.Contains(Scope.Admin.Name(), StringComparer.Ordinal);
        if (asked.Tenant is { } tenant && !TenantName().IsMatch(tenant))
        {
            throw Bad("tenant must be 1 to 63 lower-case letters, digits and hyphens, not at the ends.");
        }

        if (maker.Tenant is not null && asked.Tenant is not null && asked.Tenant != maker.Tenant)
        {
            throw new HexcastException(
                ErrorCodes.ScopeMissing, $"The token '{maker.Name}' makes tokens of the tenant {maker.Tenant} only.");
        }

        if (asked.ExpiresIn is { } seconds && (seconds < 1 || seconds > (long)LongestLife.TotalSeconds))
        {
            throw Bad($"expires_in must be 1 to {(long)LongestLife.TotalSeconds} seconds; leave it out for never.");
        }

        return new AccessToken
        {
            Id = secret.Id,
            Name = name,
            Scopes = { scopes },
            // Only who administers may see every tenant.
            Tenant = asked.Tenant ?? maker.Tenant ?? (isAdmin ? "" : Principal.DefaultTenant),
            SecretSha256 = ByteString.CopyFrom(secret.Hash),
            CreatedAtUnixMs = now.ToUnixTimeMilliseconds(),
            ExpiresAtUnixMs = asked.ExpiresIn is { } life ? now.AddSeconds(life).ToUnixTimeMilliseconds() : 0,
            CreatedBy = maker.Id,
        };
    }

    private static HexcastException Bad(string message) => new(ErrorCodes.InvalidArgument, message);

    [GeneratedRegex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex TenantName();
}
