using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Hexcast.Coordination.Tests.Servers;

/// <summary>What a server has logged.</summary>
internal sealed class LogLines : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<(LogLevel Level, string Words)> _lines = [];

    public bool Has(LogLevel level, string words) =>
        _lines.Any(line => line.Level == level && line.Words.Contains(words, StringComparison.Ordinal));

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter) => _lines.Enqueue((logLevel, formatter(state, exception)));

    public void Dispose()
    {
    }
}
