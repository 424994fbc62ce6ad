using Hexcast.Platform.Errors;

namespace Hexcast.Dashboard.Pages.Problem;

/// <summary>What has failed, and what one can do about it.</summary>
public sealed record ProblemView(int Status, string Code, string Detail)
{
    public string Title => Status switch
    {
        404 => "There is no such page",
        401 or 403 => "You may not do that",
        429 => "Too much at once",
        503 or 504 => "Not just now",
        507 => "The disk is full",
        >= 500 => "Something broke here",
        _ => "That did not work",
    };

    public string Words => Status switch
    {
        404 => "The address has a slip in it, or what was here is gone.",
        429 => "The server was asked too often in a short time. Wait a minute, then reload the page.",
        503 or 504 => "The server is starting, or part of it is away. Reload the page in a little while.",
        // Its message is for the log's readers.
        _ when Code == ErrorCodes.Internal => "The server failed, and its log says why. Reloading may help.",
        _ => Detail,
    };

    /// <summary>For whoever looks it up in the docs; of a mistyped address there is nothing to look up.</summary>
    public string? ShownCode => Status == 404 ? null : Code;

    public bool MayReload => Status is 429 or >= 500;

    public string Icon => Status switch
    {
        404 => "search",
        401 or 403 => "lock",
        _ => "alert",
    };
}
