namespace Hexcast.Contracts;

/// <summary>Names of the QoS classes that jobs and tasks have.</summary>
public static class TaskClass
{
    /// <summary>What a viewer waits for; the master puts the short tasks of every job but background ones there.
    /// </summary>
    public const string LowLatency = "low_latency";
    public const string Hd = "hd";
    public const string Sd = "sd";
    public const string Background = "background";

    /// <summary>Of an order that names none.</summary>
    public const string Default = Hd;

    /// <summary>The first served first.</summary>
    public static IReadOnlyList<string> All { get; } = [LowLatency, Hd, Sd, Background];
}
