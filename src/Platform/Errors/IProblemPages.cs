using Microsoft.AspNetCore.Http;

namespace Hexcast.Platform.Errors;

/// <summary>Tells people in a browser what has failed. The role Dashboard does, where it runs.</summary>
public interface IProblemPages
{
    /// <summary>Answers with a page; status and headers are set.</summary>
    Task AnswerAsync(HttpContext context, string code, string detail);
}
