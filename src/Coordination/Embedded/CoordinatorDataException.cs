using Hexcast.Platform.Hosting;

namespace Hexcast.Coordination.Embedded;

/// <summary>
/// What the coordinator wrote cannot be read back, or cannot be written any more. Serving on would mean to lose what
/// was acknowledged, so the process ends with these words instead.
/// </summary>
internal sealed class CoordinatorDataException(string message, Exception? inner = null)
    : NodeFailureException(message, inner);
