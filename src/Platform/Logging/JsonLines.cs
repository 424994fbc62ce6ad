using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Hexcast.Contracts;
using Hexcast.Platform.Telemetry;
using Microsoft.Extensions.Logging;

namespace Hexcast.Platform.Logging;

/// <summary>
/// Logs as JSON lines: time, level, service.name, role, message, trace_id, span_id, then the message's own fields in
/// snake case and those of the scopes around it; media_id at least where the span around it has one. A line that
/// cannot be written is dropped; the next one that can be carries their number as dropped_lines.
/// </summary>
public sealed class JsonLines(TextWriter output, TimeProvider clock) : ILoggerProvider, ISupportExternalScope
{
    private readonly ConcurrentDictionary<string, ILogger> loggers = new(StringComparer.Ordinal);
    private readonly Lock outputTurn = new();
    private IExternalScopeProvider scopes = new LoggerExternalScopeProvider();

    // Lines since the last one that could be written. Under outputTurn.
    private long droppedLines;

    public ILogger CreateLogger(string categoryName) =>
        loggers.GetOrAdd(categoryName, name => new Logger(this, Role(name)));

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => scopes = scopeProvider;

    public void Dispose()
    {
        // Every line was flushed when it was written.
    }

    // "Hexcast.Worker.Tasks.ChunkTask" is the worker's; what is not ours keeps its own name.
    private static string Role(string category) =>
        category.StartsWith("Hexcast.", StringComparison.Ordinal)
            ? category.Split('.')[1].ToLowerInvariant()
            : category;

    private void Write(LogLevel level, string role, string message, object? state, Exception? failure)
    {
        lock (outputTurn)
        {
            try
            {
                output.WriteLine(Line(level, role, message, state, failure));
                output.Flush();
                droppedLines = 0;
            }
            catch (IOException)
            {
                // A full disk, say. What is logged must not end whoever logs it; the next line tells of it.
                droppedLines++;
            }
        }
    }

    private string Line(LogLevel level, string role, string message, object? state, Exception? failure)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("time", clock.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ"));
            json.WriteString("level", level.ToString().ToLowerInvariant());
            json.WriteString("service.name", "hexcast");
            json.WriteString("role", role);
            json.WriteString("message", Redaction.Apply(message));
            if (droppedLines > 0)
            {
                json.WriteNumber("dropped_lines", droppedLines);
            }

            if (Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity)
            {
                json.WriteString("trace_id", activity.TraceId.ToHexString());
                json.WriteString("span_id", activity.SpanId.ToHexString());
                if (activity.GetTagItem(SpanTags.MediaId) is string mediaId && !Names(state, nameof(MediaId)))
                {
                    json.WriteString("media_id", mediaId);
                }
            }

            WriteFields(json, state);
            scopes.ForEachScope(static (scope, target) => WriteFields(target, scope), json);
            if (failure is not null)
            {
                json.WriteString("error", Redaction.Apply(failure.ToString()));
            }

            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static bool Names(object? state, string field) =>
        state is IEnumerable<KeyValuePair<string, object?>> fields && fields.Any(f => f.Key == field);

    private static void WriteFields(Utf8JsonWriter json, object? state)
    {
        if (state is not IEnumerable<KeyValuePair<string, object?>> fields)
        {
            return;
        }

        foreach (var (name, value) in fields)
        {
            if (name == "{OriginalFormat}")
            {
                continue;
            }

            var key = JsonNamingPolicy.SnakeCaseLower.ConvertName(name);
            switch (value)
            {
                case int or long or short or byte or uint:
                    json.WriteNumber(key, Convert.ToInt64(value));
                    break;
                case ulong number:
                    json.WriteNumber(key, number);
                    break;
                case double number when double.IsFinite(number):
                    json.WriteNumber(key, Math.Round(number, 3));
                    break;
                case bool flag:
                    json.WriteBoolean(key, flag);
                    break;
                default:
                    json.WriteString(key, Redaction.Field(key, value?.ToString() ?? ""));
                    break;
            }
        }
    }

    private sealed class Logger(JsonLines lines, string role) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => lines.scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) =>
            lines.Write(logLevel, role, formatter(state, exception), state, exception);
    }
}
