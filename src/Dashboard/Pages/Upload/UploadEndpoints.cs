using Hexcast.Dashboard.Rendering;
using Hexcast.Platform.Access;
using Hexcast.Platform.Http;
using Hexcast.Platform.Presets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hexcast.Dashboard.Pages.Upload;

/// <summary>GET /upload: the page; the files themselves go from its script to /v1/uploads by tus.</summary>
internal sealed class UploadEndpoints(PresetCatalog presets, PageRenderer renderer)
{
    public void Map(IEndpointRouteBuilder http) =>
        http.MapGet("/upload", ShowAsync).RequireScope(Scope.Upload).Page().DescribePage("Show the page to upload");

    private Task ShowAsync(HttpContext context)
    {
        // The usual one first: it is what a list of choices begins with.
        string[] names = [PresetCatalog.Default, .. presets.Names.Where(name => name != PresetCatalog.Default)];
        return renderer.AnswerAsync<UploadPage>(context, new() { [nameof(UploadPage.Presets)] = names });
    }
}
