using System.CommandLine;
using System.Globalization;

namespace Hexcast.App.Cli;

/// <summary>How long, as a person says it, the same for every option: 90m, 24h, 30d.</summary>
internal static class Duration
{
    private const string Form = "a number with s, m, h or d, like 90m, 24h or 30d";

    public static Option<TimeSpan?> Option(string name, string description) => new(name)
    {
        Description = $"{description}: {Form}.",
        HelpName = "TIME",
        CustomParser = given =>
        {
            var text = given.Tokens.Single().Value;
            if (Parse(text) is { } time)
            {
                return time;
            }

            given.AddError($"{name} is '{text}'; it has to be {Form}.");
            return null;
        },
    };

    /// <summary>Null: that is no time, or none that a clock could count.</summary>
    public static TimeSpan? Parse(string text)
    {
        if (text.Length < 2 || Unit(text[^1]) is not { } unit
            || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture,
                out var count)
            || count == 0 || count > TimeSpan.MaxValue / unit)
        {
            return null;
        }

        return count * unit;
    }

    private static TimeSpan? Unit(char letter) => letter switch
    {
        's' => TimeSpan.FromSeconds(1),
        'm' => TimeSpan.FromMinutes(1),
        'h' => TimeSpan.FromHours(1),
        'd' => TimeSpan.FromDays(1),
        _ => null,
    };
}
