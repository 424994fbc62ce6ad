namespace Hexcast.Drills.Power;

/// <summary>What was acknowledged or promised before a loss of power does not hold after it.</summary>
internal sealed class LostException(string message) : Exception(message);
