using System.ComponentModel.DataAnnotations;
using Grpc.Core;

namespace Hexcast.Platform.Calls;

/// <summary>Section <c>Grpc</c>: the port where roles and other nodes call.</summary>
public sealed record GrpcOptions : IValidatableObject
{
    /// <summary>
    /// A connection of this age, a tenth more or less, takes no new calls; its client opens another, so that new nodes
    /// get their share. Default 30 min; 1 s to 1 day.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00", ErrorMessage = "may be 00:00:01 to 1.00:00:00.")]
    public TimeSpan MaxConnectionAge { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>Calls that still run on it after so long more are cut. Default 5 min; 1 s to 1 day.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00", ErrorMessage = "may be 00:00:01 to 1.00:00:00.")]
    public TimeSpan MaxConnectionAgeGrace { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Limits of methods, by "package.Service/Method"; those that are not named have limits that a node can bear.
    /// </summary>
    public Dictionary<string, CallLimits> Limits { get; set; } = [];

    internal CallLimits LimitsOf(IMethod method) =>
        (Limits.GetValueOrDefault(method.FullName.TrimStart('/')) ?? new CallLimits()).Of(method.Type);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var (method, limits) in Limits)
        {
            if (!KnownMethods.Names.Contains(method))
            {
                yield return new ValidationResult(
                    $"names {method}, a method that no role serves. Near it are "
                    + $"{string.Join(", ", KnownMethods.Near(method))}.",
                    [nameof(Limits)]);
            }

            if (!limits.IsValid)
            {
                yield return new ValidationResult(
                    $"has for {method} a RatePerSecond that is not above 0 and at most 1000000, a Burst or MaxRunning "
                    + "that is not 1 to 1000000, or a MaxQueued that is not 0 to 1000000.", [nameof(Limits)]);
            }
        }
    }
}
