namespace Hexcast.Platform.Errors;

/// <summary>
/// An operational failure that the caller is told of: a stable code from <see cref="ErrorCodes"/> and words that say
/// what to do next. Everything else that is thrown is a defect or the machine's fault and ends as "internal".
/// </summary>
public sealed class HexcastException(string code, string message, Exception? inner = null) : Exception(message, inner)
{
    public string Code { get; } = code;
}
