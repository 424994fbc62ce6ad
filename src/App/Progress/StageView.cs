using System.Globalization;
using Hexcast.App.Cli;
using Spectre.Console;

namespace Hexcast.App.Progress;

/// <summary>Shows the stages: bars on a terminal, a line at each quarter elsewhere.</summary>
internal abstract class StageView
{
    public abstract void Show(StageProgress progress);

    /// <summary>A line that stays, above the bars.</summary>
    public abstract void Say(string line);

    public static Task RunAsync(Output output, IReadOnlyList<Stage> stages, Func<StageView, Task> work) =>
        output.IsTerminal
            ? AnsiProgress(output.Words).StartAsync(context => work(new Bars(output, stages, context)))
            : work(new Lines(output, stages));

    private static Spectre.Console.Progress AnsiProgress(IAnsiConsole console) => console.Progress()
        .AutoClear(false)
        .HideCompleted(false)
        .Columns(
            new TaskDescriptionColumn { Alignment = Justify.Left },
            new ProgressBarColumn(),
            new PercentageColumn(),
            new ElapsedTimeColumn());

    private sealed class Bars : StageView
    {
        private readonly Output output;
        private readonly Dictionary<Stage, ProgressTask> bars = [];

        public Bars(Output output, IReadOnlyList<Stage> stages, ProgressContext context)
        {
            this.output = output;
            foreach (var stage in stages)
            {
                bars[stage] = context.AddTask(Name(stage), autoStart: false, maxValue: 1);
            }
        }

        public override void Show(StageProgress progress)
        {
            foreach (var (stage, bar) in bars)
            {
                var fraction = progress[stage];
                if (fraction > 0 && bar.StartTime is null)
                {
                    bar.StartTask();
                }

                bar.Value = fraction;
                if (fraction >= 1 && bar.StopTime is null)
                {
                    // Its time is what it took, not what has passed since.
                    bar.StopTask();
                }

                if (stage == Stage.Audio && progress.IsSilent)
                {
                    bar.Description = "no audio";
                }
                else if (stage == Stage.Video && progress.Speed is { } speed && fraction < 1)
                {
                    bar.Description = string.Create(CultureInfo.InvariantCulture, $"{Name(stage)} {speed:0.0}×");
                }
                else
                {
                    bar.Description = Name(stage);
                }
            }
        }

        public override void Say(string line) => output.Say(line);
    }

    private sealed class Lines(Output output, IReadOnlyList<Stage> stages) : StageView
    {
        private const int Steps = 4;
        private readonly Dictionary<Stage, int> said = [];

        public override void Show(StageProgress progress)
        {
            foreach (var stage in stages.Where(stage => stage != Stage.Audio || !progress.IsSilent))
            {
                var step = (int)(progress[stage] * Steps);
                if (step > said.GetValueOrDefault(stage))
                {
                    said[stage] = step;
                    output.Say(step == Steps ? $"{Name(stage)}: done" : $"{Name(stage)}: {step * 100 / Steps} %");
                }
            }
        }

        public override void Say(string line) => output.Say(line);
    }

    private static string Name(Stage stage) => stage.ToString().ToLowerInvariant();
}
