using System.Globalization;
using Hexcast.Dashboard.Rendering;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Dashboard.Pages.Settings;

/// <summary>
/// /settings/tokens, by forms: the same that /v1/tokens does, for a browser without script. A form of another site's is
/// refused before it comes here.
/// </summary>
internal sealed class TokenPages(PageRenderer renderer, IServiceProvider services)
{
    private const string Here = "/settings/tokens";
    private const int FormLimitBytes = 8192;

    public void Map(IEndpointRouteBuilder http)
    {
        http.MapGet(Here, ShowAsync).RequireScope(Scope.Admin).Page().DescribePage("Show the tokens");
        http.MapGet(Here + "/rows", ShowRowsAsync).RequireScope(Scope.Admin).ExcludeFromDescription();
        http.MapPost(Here, CreateAsync).RequireScope(Scope.Admin).Page().Audited("token.create")
            .ExcludeFromDescription();
        http.MapPost(Here + "/revoke", RevokeAsync).RequireScope(Scope.Admin).Page().Audited("token.revoke")
            .ExcludeFromDescription();
    }

    // The role that keeps them need not run on this node.
    private ITokenBook Book => services.GetService<ITokenBook>() ?? throw new HexcastException(
        ErrorCodes.Unavailable, "Nobody on this node knows tokens: start the role access too.");

    private Task ShowAsync(HttpContext context)
    {
        var query = context.Request.Query;
        var tokens = Book.List(context.Principal());
        return AnswerAsync(context, new TokensView
        {
            Tokens = tokens,
            Draft = query.ContainsKey("create") ? TokenDraft.Empty : null,
            Revoking = tokens.FirstOrDefault(token => token.Id == query["revoke"] && token.FileOfNode is null),
        });
    }

    private Task ShowRowsAsync(HttpContext context) => renderer.AnswerAsync<TokenRows>(
        context, new() { [nameof(TokenRows.Tokens)] = Book.List(context.Principal()) });

    private async Task CreateAsync(HttpContext context)
    {
        var form = await ReadFormAsync(context);
        var draft = new TokenDraft(
            form["name"].ToString(), [.. form["scope"].OfType<string>()], form["tenant"].ToString().Trim(),
            form["expires"].ToString());
        var maker = context.Principal();
        try
        {
            var (_, secret) = await Book.CreateAuditedAsync(
                context,
                new TokenRequest(
                    draft.Name, draft.Scopes, draft.Tenant.Length == 0 ? null : draft.Tenant, Life(draft.Expires)));
            await AnswerAsync(context, new TokensView { Tokens = Book.List(maker), Secret = secret });
        }
        catch (HexcastException refused) when (refused.Code is ErrorCodes.InvalidArgument or ErrorCodes.ScopeMissing
            or ErrorCodes.ResourceExhausted or ErrorCodes.AuditUnavailable)
        {
            context.Audit().Outcome = refused.Code;
            await AnswerAsync(
                context,
                new TokensView { Tokens = Book.List(maker), Draft = draft, Trouble = refused.Message },
                ErrorCodes.HttpStatus(refused.Code));
        }
    }

    private async Task RevokeAsync(HttpContext context)
    {
        var id = (await ReadFormAsync(context))["id"].ToString();
        var viewer = context.Principal();
        context.Audit().Target = Book.List(viewer).FirstOrDefault(token => token.Id == id)?.Label ?? id;
        try
        {
            await Book.RevokeAsync(viewer, id);
        }
        catch (HexcastException refused) when (refused.Code is ErrorCodes.NotFound or ErrorCodes.Conflict)
        {
            context.Audit().Outcome = refused.Code;
            await AnswerAsync(
                context,
                new TokensView { Tokens = Book.List(viewer), Trouble = refused.Message },
                ErrorCodes.HttpStatus(refused.Code));
            return;
        }

        context.Response.Headers.Location = Here;
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
    }

    private static async Task<IFormCollection> ReadFormAsync(HttpContext context)
    {
        var request = context.Request;
        if (!request.HasFormContentType || request.ContentLength is null or > FormLimitBytes)
        {
            throw new HexcastException(
                ErrorCodes.InvalidArgument, $"Send a form of at most {FormLimitBytes} bytes.");
        }

        try
        {
            return await request.ReadFormAsync(context.RequestAborted);
        }
        catch (InvalidDataException bad)
        {
            throw new HexcastException(ErrorCodes.InvalidArgument, $"The form cannot be read: {bad.Message}");
        }
    }

    // What is no number is refused as one that is out of range.
    private static long? Life(string seconds) =>
        seconds.Length == 0 ? null
        : long.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var life) ? life : -1;

    private Task AnswerAsync(HttpContext context, TokensView view, int status = StatusCodes.Status200OK) =>
        renderer.AnswerAsync<TokensPage>(context, new() { [nameof(TokensPage.View)] = view }, status);
}
