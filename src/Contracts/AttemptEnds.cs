namespace Hexcast.Contracts;

/// <summary>Codes in a task's failure that say more to the master than that the attempt failed.</summary>
public static class AttemptEnds
{
    /// <summary>Its worker was told to cancel it.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>Its worker stops, or its node is drained.</summary>
    public const string HandedBack = "handed_back";

    /// <summary>The machine had no space for it: nothing of the task's own doing.</summary>
    public const string ScratchFull = "scratch_full";
}
