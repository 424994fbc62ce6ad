namespace Hexcast.Platform.Configuration;

/// <summary>The configuration cannot be used. Each problem names the key, its value and what it may be.</summary>
public sealed class ConfigurationException(IReadOnlyList<string> problems)
    : Exception(string.Join(Environment.NewLine, problems))
{
    public IReadOnlyList<string> Problems { get; } = problems;
}
