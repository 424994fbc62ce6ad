using System.ComponentModel.DataAnnotations;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Hosting;

namespace Hexcast.Worker;

internal enum SandboxMode
{
    /// <summary>Every tool runs in bubblewrap; without it the worker does not start.</summary>
    Required,

    /// <summary>Tools run with this process's own rights: only for sources that you trust.</summary>
    Off,
}

internal sealed record WorkerOptions
{
    private const int LabelLimit = 100;

    /// <summary>Tasks at once; 0 is one a processor.</summary>
    [Range(0, 1024, ErrorMessage = "Slots are 0 (one a processor) to 1024.")]
    public int Slots { get; set; }

    /// <summary>Threads of one encode; 0 shares the processors out, see <see cref="EncodeThreadsOf"/>.</summary>
    [Range(0, 128, ErrorMessage = "Threads of an encode are 0 (the processors are shared out) to 128.")]
    public int EncodeThreads { get; set; }

    /// <summary>Whether ffmpeg and ffprobe are locked in.</summary>
    [EnumDataType(typeof(SandboxMode), ErrorMessage = "The sandbox is required or off.")]
    public SandboxMode Sandbox { get; set; } = SandboxMode.Required;

    /// <summary>A tool that makes no headway for so long is killed and its attempt fails.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00", ErrorMessage = "The stall limit is 1 s to 1 h.")]
    public TimeSpan StallLimit { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>How often load and progress are told to the master.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:00:05", ErrorMessage = "Heartbeats are 100 ms to 5 s apart.")]
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>The first wait after the stream broke; it doubles up to <see cref="ReconnectLimit"/>.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "00:00:05", ErrorMessage = "The first reconnect waits 10 ms to 5 s.")]
    public TimeSpan ReconnectFirst { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest wait before the stream is opened, or a report is sent, again.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:05:00", ErrorMessage = "The longest reconnect wait is 100 ms to 5 min.")]
    public TimeSpan ReconnectLimit { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// A node that stops lets tasks run on for so long; what is not done then goes to other nodes from the beginning.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:06", ErrorMessage = "A stopping node drains for 0 to 6 s.")]
    public TimeSpan DrainWithin { get; set; } = TimeSpan.FromSeconds(4);

    /// <summary>Where this node stands: tasks go where their source lies, if there is room.</summary>
    [StringLength(LabelLimit, ErrorMessage = "A zone is a name of at most 100 characters.")]
    public string Zone { get; set; } = "";

    /// <summary>The classes that this node serves, with commas between; empty is all.</summary>
    [RegularExpression(
        "^((low_latency|hd|sd|background)(,(low_latency|hd|sd|background))*)?$",
        ErrorMessage = "Classes are low_latency, hd, sd and background, with commas between.")]
    public string Classes { get; set; } = "";

    public int ResolvedSlots => Slots > 0 ? Slots : Environment.ProcessorCount;

    public WorkerProfile ProfileOf(NodeSettings node, IEnumerable<string> codecs) => new(
        node.NodeId, ResolvedSlots, new NodeLabels
        {
            Zone = Zone,
            Codecs = { codecs },
            Classes = { Classes.Split(',', StringSplitOptions.RemoveEmptyEntries) },
        });

    /// <summary>
    /// A share of the processors costs least: one thread a chunk takes a tenth less processor time than two. But the
    /// first chunk is what a player waits for, and the last ones run while other slots fall idle: these get them all.
    /// </summary>
    public int EncodeThreadsOf(int chunk, int chunks)
    {
        // More gain x264 nothing, and each costs memory in every rendition.
        const int limit = 8;
        var alone = chunk == 0 || chunk >= chunks - ResolvedSlots;
        var share = alone ? Environment.ProcessorCount : Environment.ProcessorCount / ResolvedSlots;
        return EncodeThreads > 0 ? EncodeThreads : Math.Clamp(share, 1, limit);
    }
}
