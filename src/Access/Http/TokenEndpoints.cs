using Hexcast.Platform.Access;
using Hexcast.Platform.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hexcast.Access.Http;

/// <summary>Making, listing and revoking API tokens. Who is of one tenant makes and sees that tenant's only.</summary>
internal sealed class TokenEndpoints(ITokenBook tokens)
{
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

    private Task ListAsync(HttpContext context) =>
        AnswerAsync(context, new TokensAnswer([.. tokens.List(context.Principal()).Select(TokenAnswer.Of)]));

    private async Task CreateAsync(HttpContext context)
    {
        var asked = await JsonBody.ReadAsync<TokenRequest>(context.Request, BodyLimitBytes, Expected);
        var (token, secret) = await tokens.CreateAuditedAsync(context, asked);
        context.Response.StatusCode = StatusCodes.Status201Created;
        await AnswerAsync(context, NewTokenAnswer.Of(TokenAnswer.Of(token), secret));
    }

    private async Task RevokeAsync(HttpContext context, string id)
    {
        var viewer = context.Principal();
        context.Audit().Target = tokens.List(viewer).FirstOrDefault(token => token.Id == id)?.Label;
        await tokens.RevokeAsync(viewer, id);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static Task AnswerAsync<T>(HttpContext context, T answer)
    {
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(answer, context.RequestAborted);
    }
}
