using Google.Protobuf;
using Hexcast.Access.Credentials;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Client;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hexcast.Access.Http;

/// <summary>Making, listing and revoking API tokens. Who is of one tenant makes and sees that tenant's only.</summary>
internal sealed class TokenEndpoints(CredentialStore store, TokenUse use, TimeProvider clock)
{
    public const int TokenLimit = 1000;
    private const int BodyLimitBytes = 4096;
    private const string Expected = "a JSON object with name, scopes and perhaps tenant and expires_in";

    public void Map(IEndpointRouteBuilder http)
    {
        http.MapGet("/v1/tokens", ListAsync).RequireScope(Scope.Admin)
            .Describe(ApiGroup.Access, "List tokens", AccessOperations.ListTokens);
        http.MapPost("/v1/tokens", CreateAsync).RequireScope(Scope.Admin).Audited("token.create")
            .Describe(ApiGroup.Access, "Make a token", AccessOperations.CreateToken);
        http.MapDelete("/v1/tokens/{id}", RevokeAsync).RequireScope(Scope.Admin).Audited("token.revoke")
            .Describe(ApiGroup.Access, "Revoke a token", AccessOperations.RevokeToken);
    }

    private Task ListAsync(HttpContext context)
    {
        var tokens = Visible(context.Principal()).OrderBy(token => token.CreatedAtUnixMs)
            .Select(Describe);
        return AnswerAsync(context, new TokensAnswer([.. tokens]));
    }

    private async Task CreateAsync(HttpContext context)
    {
        var maker = context.Principal();
        var asked = await JsonBody.ReadAsync<TokenRequest>(context.Request, BodyLimitBytes, Expected);
        if (store.All<AccessToken>().Count >= TokenLimit)
        {
            throw new HexcastException(
                ErrorCodes.ResourceExhausted, $"There are {TokenLimit} tokens already. Revoke some first.");
        }

        var secret = Secret.NewToken();
        var token = TokenRules.Make(asked, maker, secret, clock.GetUtcNow());
        context.Audit().Target = $"{token.Id} ({token.Name})";
        await store.WriteAsync(
            [Compare.Missing(CredentialKeys.Token(token.Id))],
            new Dictionary<string, IMessage?>(StringComparer.Ordinal) { [CredentialKeys.Token(token.Id)] = token },
            context.RequestAborted);
        context.Response.StatusCode = StatusCodes.Status201Created;
        await AnswerAsync(context, NewTokenAnswer.Of(Describe(token), secret.Text));
    }

    private async Task RevokeAsync(HttpContext context, string id)
    {
        var token = Visible(context.Principal()).FirstOrDefault(t => t.Id == id)
            ?? throw new HexcastException(ErrorCodes.NotFound, "There is no such token.");
        context.Audit().Target = $"{token.Id} ({token.Name})";
        if (token.FileOfNode.Length > 0)
        {
            throw new HexcastException(
                ErrorCodes.Conflict,
                $"This is the admin token of node '{token.FileOfNode}'. To replace it, remove {AdminToken.FileName} " +
                "from its data folder and restart it.");
        }

        // To its end, whoever leaves meanwhile: one that revokes itself is no longer let in before this returns.
        await TokenRevocation.RevokeAsync(store, token, CancellationToken.None);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private IEnumerable<AccessToken> Visible(Principal principal) =>
        store.All<AccessToken>().Where(token => principal.Tenant is null || token.Tenant == principal.Tenant);

    private TokenAnswer Describe(AccessToken token) => TokenAnswer.Of(token, use.Last(token.Id));

    private static Task AnswerAsync<T>(HttpContext context, T answer)
    {
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(answer, context.RequestAborted);
    }
}
