using Hexcast.Media;
using Hexcast.Platform.Errors;

namespace Hexcast.Worker.Attempts;

/// <summary>Turns whatever ended an attempt into its outcome.</summary>
internal static class AttemptFailure
{
    /// <summary>A source, preset or stored document stays wrong; an encoder's output may not.</summary>
    public static AttemptFailedException OfMedia(MediaException cause, string logTail = "") => new(
        cause.Code.WireName(),
        cause.Message,
        permanent: cause.Code is not (MediaErrorCode.ProbeUnreadable or MediaErrorCode.FragmentMalformed),
        logTail,
        cause);

    public static AttemptOutcome Outcome(Exception cause) => cause switch
    {
        AttemptFailedException failed =>
            AttemptOutcome.Failed(failed.Code, failed.Message, failed.Permanent, failed.LogTail),
        MediaException media => Outcome(OfMedia(media)),
        HexcastException named => AttemptOutcome.Failed(
            named.Code, named.Message, permanent: named.Code is ErrorCodes.UnknownPreset or ErrorCodes.InvalidArgument),
        IOException full when StorageFaults.IsFull(full) =>
            AttemptOutcome.Failed(ErrorCodes.StorageFull, StorageFaults.FullMessage),
        _ => AttemptOutcome.Failed(FailureCodes.Internal, $"{cause.GetType().Name}: {cause.Message}"),
    };
}
