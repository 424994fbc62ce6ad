using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Identity;
using Hexcast.Platform.ObjectStore;
using Hexcast.Testing;

namespace Hexcast.Catalog.Tests;

/// <summary>A node with Catalog and a master of the test's own; it can be opened again over its folder.</summary>
public abstract class CatalogFixture : IAsyncLifetime
{
    private readonly IdSource ids = new(TimeProvider.System);

    internal string Folder { get; } = Directory.CreateTempSubdirectory("hexcast-catalog-").FullName;

    internal FakeMaster Master { get; } = new();

    internal RoleNode Node { get; private set; } = null!;

    internal HttpClient Http => Node.Http;

    internal IObjectStore Objects => Node.Get<IObjectStore>();

    internal CatalogStore Store => Node.Get<CatalogStore>();

    internal Contracts.V1.Catalog.CatalogClient Client => new(Node.Get<RoleChannel>().Invoker);

    public async ValueTask InitializeAsync() => await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    internal async Task OpenAsync(bool followers = true)
    {
        Master.Refusal = followers ? StatusCode.OK : StatusCode.Unavailable;
        Node = await RoleNode.StartAsync(Folder, [new CatalogModule(), new FakeMasterModule(Master)]);
    }

    internal async Task ReopenAsync()
    {
        await Node.DisposeAsync();
        await OpenAsync();
    }

    internal async Task<CompleteUploadRequest> RequestAsync(string filename = "clip.mp4", params string[] tags)
    {
        var mediaId = ids.NewMediaId().ToString();
        var bytes = System.Text.Encoding.UTF8.GetBytes(filename);
        var request = new CompleteUploadRequest
        {
            MediaId = mediaId,
            Filename = filename,
            Source = await Attempts.PutAsync(Objects, ObjectKey.Source(mediaId), bytes),
        };
        request.Tags.AddRange(tags);
        return request;
    }

    internal async Task<string> UploadAsync(string filename = "clip.mp4", params string[] tags)
    {
        var request = await RequestAsync(filename, tags);
        await Client.CompleteUploadAsync(request);
        return request.MediaId;
    }

    /// <summary>Uploads, and answers the job once Catalog follows it.</summary>
    internal async Task<(string MediaId, FakeJob Job)> OrderAsync(string filename = "clip.mp4")
    {
        var mediaId = await UploadAsync(filename);
        await StateAsync(mediaId, "processing");
        return (mediaId, Master.Job(mediaId));
    }

    internal static void Plan(FakeJob job, int chunks, bool audio) =>
        job.Say(e => e.Planned = new JobPlanned { Summary = Attempts.Plan(chunks, audio) });

    internal async Task CommitChunkAsync(string mediaId, FakeJob job, int chunk)
    {
        var committed = await Attempts.StoreAsync(Objects, mediaId, job.JobId, Attempts.ChunkIndex(chunk), chunk);
        job.Say(e => e.Committed = committed);
    }

    internal async Task CommitAudioAsync(string mediaId, FakeJob job, int segments)
    {
        var committed = await Attempts.StoreAsync(Objects, mediaId, job.JobId, Attempts.AudioIndex(segments));
        job.Say(e => e.Committed = committed);
    }

    internal static void End(FakeJob job, JobState state, TaskFailure? failure = null) =>
        job.Say(e => e.Ended = new JobEnded { State = state, Failure = failure });

    internal async Task<JsonObject> GetAsync(string mediaId) =>
        (await Http.GetFromJsonAsync<JsonObject>($"/v1/media/{mediaId}"))!;

    internal async Task<JsonObject> StateAsync(string mediaId, string state)
    {
        JsonObject media = [];
        await Eventually.HoldsAsync(
            async () => (string)(media = await GetAsync(mediaId))["state"]! == state, $"{mediaId} is not {state}");
        return media;
    }

    internal async Task<VersionIndex> IndexAsync(string mediaId) =>
        await Client.GetVersionIndexAsync(new GetVersionIndexRequest { MediaId = mediaId });

    /// <summary>Waits until every event that the job has said is applied.</summary>
    internal Task CaughtUpAsync(FakeJob job) => Eventually.HoldsAsync(
        () => Store.Read(connection => Versions.VersionTable.Find(connection, job.JobId))?.Cursor == job.Revision,
        $"{job.JobId} is not applied up to {job.Revision}");

    internal static int Segments(VersionIndex index, int rendition = 0) =>
        index.Renditions[rendition].Parts.Sum(p => p.Lengths.Count);
}
