using Hexcast.Simulation;

// The tests, or ./hexcast sim --seeds N [--from K] [--tell].
return args is ["sim", .. var arguments]
    ? Campaign.Begin(arguments)
    : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
