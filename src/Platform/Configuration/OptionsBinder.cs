using System.ComponentModel.DataAnnotations;
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

    private static string? Said(object? value) =>
        value is IEnumerable<object> several ? string.Join(", ", several) : value?.ToString();

    private static string Describe(Type type) =>
        type.IsEnum ? $"value of it. It is one of {string.Join(", ", Enum.GetNames(type))}"
        : Forms.GetValueOrDefault(type) ?? type.Name;
}
