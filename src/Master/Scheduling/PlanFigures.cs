using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>What a chunk of a plan costs a node, by its pictures; right to an order of magnitude.</summary>
/// <param name="Weight">Work of a media second; 1 is one rendition of 720p at 30 frames/s.</param>
/// <param name="MemoryBytes">Of an encoder with all its renditions.</param>
/// <param name="ScratchBytesPerSecond">Of media; what lies on the scratch disk until it is stored.</param>
internal readonly record struct PlanFigures(double Weight, long MemoryBytes, double ScratchBytesPerSecond)
{
    private const double WeightOfOne = 1280.0 * 720 * 30;
    private const double TypicalFrameRate = 30;
    private const long EncoderMemoryBytes = 96 << 20;

    // Frames of lookahead and references, at a byte and a half a pixel.
    private const int MemoryBytesPerPixel = 60;
    private const double ScratchBitsPerPixel = 0.15;

    public static PlanFigures Of(PlanSummary? plan)
    {
        var pixels = plan?.Renditions.Sum(r => (double)r.Width * r.Height) ?? 0;
        if (plan is null || pixels is not (> 0 and < 1e9))
        {
            return new PlanFigures(1, EncoderMemoryBytes, WeightOfOne * ScratchBitsPerPixel / 8);
        }

        var rate = plan.SourceFrameRate is > 0 and < 1_000 ? plan.SourceFrameRate : TypicalFrameRate;
        var source = Math.Clamp((double)plan.SourceWidth * plan.SourceHeight, 0, 1e9);
        return new PlanFigures(
            pixels * rate / WeightOfOne,
            EncoderMemoryBytes + (long)((pixels + source) * MemoryBytesPerPixel),
            pixels * rate * ScratchBitsPerPixel / 8);
    }
}
