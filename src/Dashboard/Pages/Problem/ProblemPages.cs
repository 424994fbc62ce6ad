using Hexcast.Dashboard.Rendering;
using Hexcast.Platform.Errors;
using Microsoft.AspNetCore.Http;

namespace Hexcast.Dashboard.Pages.Problem;

/// <summary>Says to people what has failed, in the house's layout.</summary>
internal sealed class ProblemPages(PageRenderer renderer) : IProblemPages
{
    public Task AnswerAsync(HttpContext context, string code, string detail) =>
        renderer.AnswerAsync<ProblemPage>(
            context,
            new() { [nameof(ProblemPage.Problem)] = new ProblemView(context.Response.StatusCode, code, detail) },
            context.Response.StatusCode);
}
