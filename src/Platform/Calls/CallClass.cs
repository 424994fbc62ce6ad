using Hexcast.Contracts;
using Microsoft.AspNetCore.Http;

namespace Hexcast.Platform.Calls;

/// <summary>The QoS class of a call, the most urgent first.</summary>
internal enum CallClass
{
    LowLatency,
    Hd,
    Sd,
    Background,
}

internal static class CallClasses
{
    /// <summary>The metadata that names a call's class: low_latency, hd, sd or background.</summary>
    public const string Header = "x-qos-priority";

    public const int Count = 4;

    /// <summary>What names no class that there is counts as hd.</summary>
    public static CallClass Of(IHeaderDictionary headers) => (string?)headers[Header] switch
    {
        TaskClass.LowLatency => CallClass.LowLatency,
        TaskClass.Sd => CallClass.Sd,
        TaskClass.Background => CallClass.Background,
        _ => CallClass.Hd,
    };
}
