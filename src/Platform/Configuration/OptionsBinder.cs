using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Hexcast.Platform.Configuration;

/// <summary>Turns a section into an options record; a key that is no option is an error, never passed over.</summary>
public static class OptionsBinder
{
    /// <summary>What a value has to be, for people.</summary>
    private static readonly Dictionary<Type, string> Forms = new()
    {
        [typeof(TimeSpan)] = "time span (hh:mm:ss)",
        [typeof(bool)] = "true or false",
        [typeof(int)] = "whole number, or too large a one",
        [typeof(long)] = "whole number, or too large a one",
        [typeof(double)] = "number",
    };

    public static TOptions Bind<TOptions>(IConfiguration configuration, string section) where TOptions : class, new()
    {
        var source = configuration.GetSection(section);
        var known = typeof(TOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.CanWrite)
            .ToDictionary(p => p.Name, StringComparer.OrdinalIgnoreCase);
        var problems = source.GetChildren()
            .Where(child => !known.ContainsKey(child.Key))
            .Select(child => $"{section}:{child.Key} is no option. There are: {string.Join(", ", known.Keys)}.")
            .ToList();

        var options = new TOptions();
        foreach (var child in source.GetChildren().Where(child => known.ContainsKey(child.Key)))
        {
            var property = known[child.Key];
            if (IsTable(property.PropertyType, out var row))
            {
                property.SetValue(options, BindTable(child, property.PropertyType, row, problems));
                continue;
            }

            try
            {
                property.SetValue(options, child.Get(property.PropertyType));
            }
            catch (Exception bad) when (bad is InvalidOperationException or FormatException)
            {
                problems.Add($"{section}:{property.Name} = '{child.Value}' is no {Describe(property.PropertyType)}.");
            }
        }

        var violations = new List<ValidationResult>();
        Validator.TryValidateObject(options, new ValidationContext(options), violations, validateAllProperties: true);
        problems.AddRange(violations.Select(violation =>
        {
            var name = violation.MemberNames.FirstOrDefault();
            return $"{section}:{name} = '{(name is null ? "" : Said(known[name].GetValue(options)))}': "
                + violation.ErrorMessage;
        }));
        return problems.Count == 0 ? options : throw new ConfigurationException(problems);
    }

    private static bool IsTable(Type type, [NotNullWhen(true)] out Type? row)
    {
        row = type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Dictionary<,>)
            ? type.GetGenericArguments()[1] : null;
        return row is not null;
    }

    // By name: records of the same few settings. The binder would pass over what it cannot read.
    private static IDictionary BindTable(
        IConfigurationSection source, Type type, Type row, List<string> problems)
    {
        var table = (IDictionary)Activator.CreateInstance(type)!;
        var settings = row.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite)
            .ToDictionary(p => p.Name, StringComparer.OrdinalIgnoreCase);
        if (!string.IsNullOrEmpty(source.Value))
        {
            problems.Add($"{source.Path} = '{source.Value}' is no object of names, each with an object of settings.");
        }

        foreach (var entry in source.GetChildren())
        {
            var made = Activator.CreateInstance(row)!;
            table.Add(entry.Key, made);
            if (!entry.GetChildren().Any())
            {
                problems.Add($"{entry.Path} = '{entry.Value}' is no object of {string.Join(", ", settings.Keys)}.");
            }

            foreach (var child in entry.GetChildren())
            {
                if (!settings.TryGetValue(child.Key, out var setting))
                {
                    problems.Add($"{child.Path} is no option. There are: {string.Join(", ", settings.Keys)}.");
                    continue;
                }

                try
                {
                    setting.SetValue(made, child.Get(setting.PropertyType));
                }
                catch (Exception bad) when (bad is InvalidOperationException or FormatException)
                {
                    problems.Add($"{child.Path} = '{child.Value}' is no {Describe(setting.PropertyType)}.");
                }
            }
        }

        return table;
    }

    private static string? Said(object? value) => value switch
    {
        IDictionary table => string.Join(", ", table.Keys.Cast<object>()),
        IEnumerable<object> several => string.Join(", ", several),
        _ => value?.ToString(),
    };

    private static string Describe(Type type) => Nullable.GetUnderlyingType(type) is { } present ? Describe(present)
        : type.IsEnum ? $"value of it. It is one of {string.Join(", ", Enum.GetNames(type))}"
        : Forms.GetValueOrDefault(type) ?? type.Name;
}
