using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>What is kept and told of failures where there are many: a message holds 4 MiB, a failure up to 32 KiB.
/// </summary>
internal static class Failures
{
    private const int ShortMessageLimitBytes = 512;

    /// <summary>Without its log, and with the beginning of its message.</summary>
    public static void Shorten(TaskFailure? failure)
    {
        if (failure is null)
        {
            return;
        }

        failure.LogTail = "";
        var (length, bytes) = (0, 0);
        foreach (var rune in failure.Message.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > ShortMessageLimitBytes)
            {
                failure.Message = failure.Message[..length];
                return;
            }

            length += rune.Utf16SequenceLength;
        }
    }
}
