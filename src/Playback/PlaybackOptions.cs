using System.ComponentModel.DataAnnotations;

namespace Hexcast.Playback;

/// <summary>Section "Playback".</summary>
internal sealed record PlaybackOptions : IValidatableObject
{
    /// <summary>How long a playback token lasts when its request names no time. Default 1 h; 1 s to 7 days.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "7.00:00:00", ErrorMessage = "use 00:00:01 to 7.00:00:00")]
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>The longest life that a request may ask for. Default 24 h; 1 s to 7 days.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "7.00:00:00", ErrorMessage = "use 00:00:01 to 7.00:00:00")]
    public TimeSpan TokenLifetimeLimit { get; set; } = TimeSpan.FromHours(24);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (TokenLifetime > TokenLifetimeLimit)
        {
            yield return new ValidationResult(
                $"use at most TokenLifetimeLimit, which is {TokenLifetimeLimit}", [nameof(TokenLifetime)]);
        }
    }
}
