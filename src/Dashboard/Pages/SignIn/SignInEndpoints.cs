using Hexcast.Dashboard.Rendering;
using Hexcast.Platform.Access;
using Hexcast.Platform.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hexcast.Dashboard.Pages.SignIn;

/// <summary>GET /sign-in: the form. What it sends goes to /v1/session; a refusal leads back here.</summary>
internal sealed class SignInEndpoints(PageRenderer renderer)
{
    public void Map(IEndpointRouteBuilder http) =>
        http.MapGet("/sign-in", ShowAsync).AllowAnyone().Page().DescribePage("Show the form to sign in");

    private Task ShowAsync(HttpContext context)
    {
        var query = context.Request.Query;
        return renderer.AnswerAsync<SignInPage>(context, new()
        {
            [nameof(SignInPage.Next)] = LocalPath.OrHome(query["next"]),
            [nameof(SignInPage.Outcome)] = query.ContainsKey("limited") ? SignInOutcome.Limited
                : query.ContainsKey("failed") ? SignInOutcome.Failed
                : query.ContainsKey("denied") ? SignInOutcome.Denied
                : query.ContainsKey("ended") ? SignInOutcome.Ended
                : query.ContainsKey("unavailable") ? SignInOutcome.Unavailable
                : SignInOutcome.None,
        });
    }
}
