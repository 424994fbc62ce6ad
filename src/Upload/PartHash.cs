using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Hexcast.Upload;

/// <summary>The hashes of a part's first <see cref="Length"/> bytes, carried from one request to the next.</summary>
internal sealed class PartHash(bool withMd5) : IDisposable
{
    private const int ReadSizeBytes = 1 << 20;

    private readonly IncrementalHash sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly IncrementalHash? md5 = withMd5 ? IncrementalHash.CreateHash(HashAlgorithmName.MD5) : null;

    public long Length { get; private set; }

    public string Sha256 => Convert.ToHexStringLower(sha256.GetCurrentHash());

    public string Md5 => md5 is null ? "" : Convert.ToHexStringLower(md5.GetCurrentHash());

    public void Append(ReadOnlySpan<byte> bytes)
    {
        sha256.AppendData(bytes);
        md5?.AppendData(bytes);
        Length += bytes.Length;
    }

    /// <summary>Hashes what lies in the file up to <paramref name="length"/>.</summary>
    public async Task CatchUpAsync(SafeFileHandle part, long length, CancellationToken cancel)
    {
        // At most requests there is nothing to catch up with.
        var buffer = Length < length ? GC.AllocateUninitializedArray<byte>(ReadSizeBytes) : [];
        while (Length < length)
        {
            var wanted = (int)Math.Min(buffer.Length, length - Length);
            var read = await RandomAccess.ReadAsync(part, buffer.AsMemory(0, wanted), Length, cancel);
            if (read == 0)
            {
                throw new EndOfStreamException($"The part ends at {Length}, the journal says {length} bytes.");
            }

            Append(buffer.AsSpan(0, read));
        }
    }

    public void Dispose()
    {
        sha256.Dispose();
        md5?.Dispose();
    }
}
