using System.Text.Json.Nodes;
using Hexcast.Dashboard.Tests.Support;
using Hexcast.Platform.Access;
using Hexcast.Platform.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hexcast.Dashboard.Tests.Browser;

/// <summary>What the media page asks of the catalogue over HTTP: a media and its job, as the test sets them.</summary>
internal sealed class MediaApi : RoleModule
{
    private JsonObject? media;

    public FakeStream Events { get; } = new();

    /// <summary>What asking for the media is answered with instead.</summary>
    public IResult? Refusal { get; set; }

    public void Set(JsonObject json)
    {
        Put(json);
        Events.Tell("media", json);
    }

    /// <summary>A change that nobody is told of.</summary>
    public void Put(JsonObject json) => media = json;

    public void Progress(JsonArray tasks) => Events.Tell("progress", new JsonObject { ["tasks"] = tasks });

    public override void AddServices(RoleBuilder role)
    {
    }

    public override void MapHttp(IEndpointRouteBuilder http)
    {
        http.MapGet("/v1/media/{id}/events", Events.AnswerAsync).AllowAnyone().ExcludeFromDescription();
        http.MapGet(
            "/v1/media/{id}",
            () => Refusal ?? (media is null
                ? Results.NotFound()
                : Results.Text(media.ToJsonString(), "application/json")))
            .AllowAnyone().ExcludeFromDescription();
    }
}
