using System.Security.Cryptography;
using Google.Protobuf;
using Hexcast.Contracts.V1;
using Hexcast.Media.Planning;
using Hexcast.Platform.ObjectStore;

namespace Hexcast.Worker.Attempts;

/// <summary>Whole objects by reference: what is read is what was named, or a named failure.</summary>
internal sealed class StoredObjects(IObjectStore store)
{
    private const int CopyBytes = 128 * 1024;

    public Task<ObjectWriter> CreateAsync(string key, CancellationToken cancel) => store.CreateAsync(key, cancel);

    public Task DeletePrefixAsync(string prefix, CancellationToken cancel) => store.DeletePrefixAsync(prefix, cancel);

    public async Task<ObjectRef> WriteAsync(string key, ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        await using var writer = await store.CreateAsync(key, cancel);
        await writer.WriteAsync(bytes, cancel);
        var sha256 = await writer.CommitAsync(cancel);
        return new ObjectRef { Key = key, Length = bytes.Length, Sha256 = ByteString.CopyFrom(sha256) };
    }

    public async Task<TranscodePlan> ReadPlanAsync(ObjectRef plan, CancellationToken cancel) =>
        TranscodePlan.FromJson(await ReadAsync(plan, PlanLimits.MaxPlanJsonBytes, cancel));

    /// <exception cref="AttemptFailedException">It is missing, too large, or not what the reference says.</exception>
    public async Task<byte[]> ReadAsync(ObjectRef named, int limitBytes, CancellationToken cancel)
    {
        if (named.Length > limitBytes)
        {
            throw Corrupt(named.Key, $"is over {limitBytes} bytes");
        }

        await using var stream = await OpenAsync(named.Key, named.Length, cancel);
        var bytes = new byte[named.Length];
        var read = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel);
        return read == bytes.Length && SHA256.HashData(bytes).AsSpan().SequenceEqual(named.Sha256.Span)
            ? bytes
            : throw Corrupt(named.Key, "has another hash than its writer reported");
    }

    /// <summary>Reads the object through and compares its hash.</summary>
    /// <exception cref="AttemptFailedException">It is missing, or not what is named.</exception>
    public async Task CheckAsync(string key, long length, string sha256Hex, CancellationToken cancel)
    {
        await using var stream = await OpenAsync(key, length, cancel);
        var hash = await SHA256.HashDataAsync(stream, cancel);
        if (Convert.ToHexStringLower(hash) != sha256Hex)
        {
            throw Corrupt(key, "has another hash than its index says");
        }
    }

    /// <summary>Copies a run of an object's bytes.</summary>
    /// <exception cref="AttemptFailedException">It is missing, or ends before the run does.</exception>
    public async Task CopyAsync(string key, long offset, long length, Stream to, CancellationToken cancel)
    {
        await using var stream = await store.OpenReadAsync(key, offset, cancel) ??
            throw new AttemptFailedException(FailureCodes.ObjectMissing, $"The object {key} is gone.");
        var buffer = new byte[CopyBytes];
        while (length > 0)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, length)), cancel);
            if (read == 0)
            {
                throw Corrupt(key, "is shorter than its index says");
            }

            await to.WriteAsync(buffer.AsMemory(0, read), cancel);
            length -= read;
        }
    }

    private async Task<Stream> OpenAsync(string key, long length, CancellationToken cancel)
    {
        var stream = await store.OpenReadAsync(key, 0, cancel) ??
            throw new AttemptFailedException(FailureCodes.ObjectMissing, $"The object {key} is gone.");
        var found = stream.Length;
        if (found == length)
        {
            return stream;
        }

        await stream.DisposeAsync();
        throw Corrupt(key, $"has {found} bytes instead of {length}");
    }

    private static AttemptFailedException Corrupt(string key, string problem) =>
        new(FailureCodes.ObjectCorrupt, $"The object {key} {problem}: its disk may be failing.");
}
