using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Dashboard.Tests.Support;
using Hexcast.Platform.Access;
using Hexcast.Platform.Hosting;
using Hexcast.Playback.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

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

    /// <summary>As the API, the catalogue and the master tell it.</summary>
    /// <param name="index">What it plays; null: nothing yet.</param>
    public void Show(PlaybackHost host, JsonObject json, MediaState state, VersionIndex? index = null)
    {
        host.Catalog.Set(new MediaRecord
        {
            MediaId = (string)json["media_id"]!, State = state, Policy = "public", JobId = "job",
            Title = (string)json["title"]!, Filename = (string)json["filename"]!, Preset = (string)json["preset"]!,
            Tags = { json["tags"]!.AsArray().Select(tag => (string)tag!) },
            SizeBytes = (long)json["size_bytes"]!, DurationSeconds = (double)json["source"]!["duration_seconds"]!,
            CreatedAt = SampleMedia.Time(json["created_at"]),
            Error = json["error"] is { } error
                ? new MediaError { Code = (string)error["code"]!, Message = (string)error["message"]! } : null,
        });
        if (index is not null)
        {
            host.Catalog.Set(index);
        }

        Set(json);
    }

    public override void AddServices(RoleBuilder role) => role.Services.AddSingleton(new Master(this));

    public override void MapGrpc(IEndpointRouteBuilder grpc) => grpc.MapGrpcService<Master>();

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

    private sealed class Master(MediaApi api) : Scheduler.SchedulerBase
    {
        public override Task<Job> GetJob(GetJobRequest request, ServerCallContext context) =>
            api.Refusal is null && api.media is { } media
                ? Task.FromResult(SampleMedia.JobOf(media))
                : throw new RpcException(new Status(StatusCode.Unavailable, "There is no master."));
    }
}
