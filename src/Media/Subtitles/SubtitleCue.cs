namespace Hexcast.Media.Subtitles;

/// <summary>One subtitle. Its text is WebVTT cue text that <see cref="CueText"/> has cleaned.</summary>
public readonly record struct SubtitleCue(TimeSpan Start, TimeSpan End, string Text);
