using System.Text;
using Hexcast.Platform.Access;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Hexcast.Dashboard.Rendering;

/// <summary>Answers a request with a Razor component, rendered once as HTML: no circuit, no Blazor script.</summary>
internal sealed class PageRenderer(PageAssets assets, IServiceProvider services, ILoggerFactory log)
{
    /// <summary>Renders the page within the request's <see cref="PageFrame"/> and sends it.</summary>
    /// <param name="parameters">The component's parameters by name.</param>
    public async Task AnswerAsync<TPage>(
        HttpContext context, Dictionary<string, object?> parameters, int status = StatusCodes.Status200OK)
        where TPage : IComponent
    {
        var request = context.Request;
        var frame = new PageFrame(
            assets, request.Path + request.QueryString, ThemeCookie.Read(request), await context.FindPrincipalAsync());
        var html = Encoding.UTF8.GetBytes(await RenderAsync<TPage>(frame, parameters));
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        response.ContentLength = html.Length;
        response.Headers.CacheControl = "no-store";
        if (!HttpMethods.IsHead(request.Method))
        {
            await response.BodyWriter.WriteAsync(html, context.RequestAborted);
        }
    }

    public async Task<string> RenderAsync<TPage>(PageFrame frame, Dictionary<string, object?> parameters)
        where TPage : IComponent
    {
        await using var renderer = new HtmlRenderer(services, log);
        return await renderer.Dispatcher.InvokeAsync(async () =>
        {
            var root = await renderer.RenderComponentAsync<Framed>(ParameterView.FromDictionary(
                new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    [nameof(Framed.Frame)] = frame,
                    [nameof(Framed.Page)] = typeof(TPage),
                    [nameof(Framed.Parameters)] = parameters,
                }));
            return root.ToHtmlString();
        });
    }
}
