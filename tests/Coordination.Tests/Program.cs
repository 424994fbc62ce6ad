using Hexcast.Coordination.Tests.Servers;

// The tests, or the process that they kill.
return args is [ChildCoordinator.Verb, var folder]
    ? await ChildCoordinator.RunAsync(folder)
    : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
