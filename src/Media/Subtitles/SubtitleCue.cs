namespace Hexcast.Media.Subtitles;

/// <summary>One subtitle. Its text is WebVTT cue text that <see cref="CueText"/> has cleaned.</summary>
/// <param name="Settings">Where it stands, as <see cref="CueSettings"/> has cleaned it; empty: where players put it.
/// </param>
public readonly record struct SubtitleCue(TimeSpan Start, TimeSpan End, string Text, string Settings = "");
