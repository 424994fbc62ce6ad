namespace Hexcast.Coordination.Embedded;

/// <summary>Whether a request is asked again whose call to the leader was lost: it may have been done.</summary>
internal static class RequestCourse
{
    /// <param name="isRepeatable">Twice is as good as once.</param>
    public static bool MayRepeat(bool isRepeatable)
    {
        var isRepeated = isRepeatable;
        Planted.Bend(CoordinatorFault.WriteRepeatedThatMayBeDone, ref isRepeated, to: true);
        return isRepeated;
    }
}
