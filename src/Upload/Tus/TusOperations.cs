using Hexcast.Contracts;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;

namespace Hexcast.Upload.Tus;

/// <summary>What the API's document says of uploads; docs/api/uploads.md tells how they go together.</summary>
internal static class TusOperations
{
    private static readonly string[] Policies = ["public", "signed"];

    public static Operation Options(Operation options) => Said(options)
        .Says("What this server speaks. Needs no `Tus-Resumable`.")
        .Answers(204, "the headers say it")
        .With(TusHeaders.TusResumable, "`1.0.0`")
        .With(TusHeaders.TusVersion, "`1.0.0`")
        .With(TusHeaders.TusExtension, "the extensions, comma-separated")
        .With(TusHeaders.TusMaxSize, "bytes of the largest file that is taken");

    public static Operation Create(Operation create) => create
        .For("POST")
        .Says("With `Tus-Resumable` it begins an upload of tus 1.0, which takes its bytes by `PATCH`, and the first " +
            "of them here already where there is a body. With a `Content-Type` and no `Tus-Resumable` the body is " +
            "the whole file and the metadata stands in the query; such an upload cannot be resumed.")
        .Header(TusHeaders.TusResumable, Value.OneOf([TusHeaders.Version]), "tus: the version")
        .Header(TusHeaders.UploadLength, Value.Number(1), "tus: bytes of the file; up to `Upload:MaxSizeBytes`")
        .Header(
            TusHeaders.UploadMetadata, Value.Text(UploadMetadataReader.HeaderLengthLimit),
            "tus: `key base64,key base64` with the keys that the query has otherwise")
        .Query("filename", Value.Text(UploadMetadataReader.FilenameLimit), "a path before the name is dropped")
        .Query("title", Value.Text(UploadMetadataReader.TitleLimit), "otherwise the filename without its ending")
        .Query("preset", Value.Text(), "a file of `presets/` without its ending; otherwise `ladder_h264_aac`")
        .Query("tags", Value.Text(), "comma-separated, at most 32 of 64 characters each")
        .Query("policy", Value.OneOf(Policies, otherwise: "public"), "whether viewers need a token")
        .Query("class", Value.OneOf([.. TaskClass.All], otherwise: TaskClass.Default), "whose chunks are encoded first")
        .Query("sha256", Value.Text(pattern: "^[0-9A-Fa-f]{64}$"), "what the file must hash to")
        .Query("md5", Value.Text(pattern: "^[0-9A-Fa-f]{32}$"), "what the file must hash to")
        .TakesBytes(
            "tus: the first bytes, or nothing; otherwise the whole file", required: false,
            TusHeaders.OffsetContentType, "video/*", "application/octet-stream")
        .Answers<StoredAnswer>(201, "tus: the upload is there, without a body; otherwise the media is")
        .With("Location", "tus: `/v1/uploads/{media_id}`; otherwise `/v1/media/{media_id}`")
        .With(TusHeaders.UploadExpires, "tus: when the upload is removed if nothing more comes")
        .With(TusHeaders.UploadOffset, "tus, with a body: the durable offset")
        .Fails(
            ErrorCodes.InvalidArgument, ErrorCodes.UnknownPreset, ErrorCodes.PreconditionFailed, ErrorCodes.TooLarge,
            ErrorCodes.UnsupportedMediaType, ErrorCodes.ResourceExhausted, ErrorCodes.UploadChecksumMismatch,
            ErrorCodes.Conflict);

    public static Operation Offset(Operation offset) => OfUpload(offset)
        .For("HEAD")
        .Answers(200, "how far it is")
        .With(TusHeaders.UploadOffset, "bytes that are durable")
        .With(TusHeaders.UploadLength, "bytes of the whole")
        .With(TusHeaders.UploadMetadata, "as it came");

    public static Operation Append(Operation append) => OfUpload(append)
        .For("PATCH")
        .Says("What `Upload-Offset` counts in the answer survives power loss. The last byte is answered when the " +
            "catalogue has the media. A newer `PATCH` or `DELETE` ends an older one.")
        .Header(TusHeaders.UploadOffset, Value.Number(0), "where the body begins: the durable offset", required: true)
        .TakesBytes("the bytes from there on", required: true, TusHeaders.OffsetContentType)
        .Answers(204, "the bytes are durable")
        .With(TusHeaders.UploadOffset, "the new offset")
        .With(TusHeaders.UploadExpires, "when the upload is removed if nothing more comes")
        .Fails(
            ErrorCodes.InvalidArgument, ErrorCodes.UploadOffsetMismatch, ErrorCodes.Conflict, ErrorCodes.UploadGone,
            ErrorCodes.TooLarge, ErrorCodes.UnsupportedMediaType, ErrorCodes.ResourceExhausted,
            ErrorCodes.UploadChecksumMismatch);

    public static Operation Terminate(Operation terminate) => OfUpload(terminate)
        .For("DELETE")
        .Answers(204, "the upload and its bytes are gone")
        .Fails(ErrorCodes.Conflict, ErrorCodes.UploadGone);

    private static Operation Said(Operation operation) => operation.For("OPTIONS");

    private static Operation OfUpload(Operation operation) => operation
        .Path("media_id", Value.MediaId(), "of the upload, and of the media that it becomes")
        .Header(TusHeaders.TusResumable, Value.OneOf([TusHeaders.Version]), "the version", required: true)
        .Fails(ErrorCodes.NotFound, ErrorCodes.PreconditionFailed);
}
