using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Platform.ObjectStore;

namespace Hexcast.Upload;

/// <summary>
/// Hands a whole upload over: its part becomes the media's source, then Catalog is told. Both may be repeated.
/// </summary>
internal sealed class UploadPublisher(
    IObjectStore objects, Contracts.V1.Catalog.CatalogClient catalog, TimeProvider clock)
{
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(10);

    public async Task PublishAsync(
        UploadDescription upload, string partPath, long length, string sha256, CancellationToken cancel)
    {
        var key = ObjectKey.Source(upload.MediaId);
        // Not there: adopted before a crash, and the journal still names the upload.
        if (File.Exists(partPath))
        {
            await objects.AdoptFileAsync(key, partPath, cancel);
        }

        var metadata = upload.Metadata;
        var request = new CompleteUploadRequest
        {
            MediaId = upload.MediaId,
            Source = new ObjectRef
            {
                Key = key,
                Length = length,
                Sha256 = Google.Protobuf.ByteString.CopyFrom(Convert.FromHexString(sha256)),
            },
            Filename = metadata.Filename,
            Title = metadata.Title,
            Preset = metadata.Preset,
            Policy = metadata.Policy,
            Class = metadata.Class,
            Traceparent = upload.Traceparent,
            Tenant = upload.Tenant,
        };
        request.Tags.AddRange(metadata.Tags);
        try
        {
            await catalog.CompleteUploadAsync(
                request, deadline: (clock.GetUtcNow() + CallLimit).UtcDateTime, cancellationToken: cancel);
        }
        catch (RpcException cancelled) when (
            cancelled.StatusCode == StatusCode.Cancelled && cancel.IsCancellationRequested)
        {
            throw new OperationCanceledException("The delivery to Catalog was cancelled.", cancelled, cancel);
        }
        catch (RpcException gone) when (gone.StatusCode == StatusCode.NotFound)
        {
            // The media was deleted between Catalog's commit and the journal's: there is nothing left to publish.
            await objects.DeleteAsync(key, cancel);
        }
    }
}
