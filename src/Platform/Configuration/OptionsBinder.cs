using System.ComponentModel.DataAnnotations;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Hexcast.Platform.Configuration;

/// <summary>Turns a section into an options record; a key that is no option is an error, never passed over.</summary>
public static class OptionsBinder
{
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
            var value = name is null ? null : known[name].GetValue(options);
            return $"{section}:{name} = '{value}': {violation.ErrorMessage}";
        }));
        return problems.Count == 0 ? options : throw new ConfigurationException(problems);
    }

    private static string Describe(Type type) => type == typeof(TimeSpan) ? "time span (hh:mm:ss)" : type.Name;
}
