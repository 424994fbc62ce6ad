namespace Hexcast.Platform.Hosting;

/// <summary>
/// The node cannot start or cannot go on, and no defect of it is the reason: a disk, a damaged file. The message is for
/// whoever runs it and says what is wrong and where.
/// </summary>
public abstract class NodeFailureException(string message, Exception? inner = null) : Exception(message, inner);
