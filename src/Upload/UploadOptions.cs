using System.ComponentModel.DataAnnotations;

namespace Hexcast.Upload;

internal sealed record UploadOptions
{
    /// <summary>Largest file, bytes; announced as Tus-Max-Size. Default 64 GiB; 1 KiB to 16 TiB.</summary>
    [Range(1024L, 1L << 44, ErrorMessage = "bytes, 1024 to 17592186044416")]
    public long MaxSizeBytes { get; init; } = 64L << 30;

    /// <summary>
    /// How long an upload is kept after its last byte, unfinished or finished. Default 24 h; 1 min to 30 days.
    /// </summary>
    [Range(typeof(TimeSpan), "00:01:00", "30.00:00:00", ErrorMessage = "00:01:00 to 30.00:00:00")]
    public TimeSpan ExpireAfter { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Uploads kept at once, finished ones too, until they expire. Default 10,000; 1 to 1,000,000.</summary>
    [Range(1, 1_000_000, ErrorMessage = "1 to 1000000")]
    public int MaxUploads { get; init; } = 10_000;

    /// <summary>
    /// Requests that write at once; each holds 1 MiB of buffers, few at once up to 3.5. Default 64; 1 to 4,096.
    /// </summary>
    [Range(1, 4096, ErrorMessage = "1 to 4096")]
    public int MaxWriters { get; init; } = 64;

    /// <summary>A request without a byte for so long is ended, its bytes kept. Default 60 s; 1 s to 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00", ErrorMessage = "00:00:01 to 01:00:00")]
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);
}
