using Grpc.Core;
using Hexcast.Contracts.V1;

namespace Hexcast.Dashboard.Tests.Support;

/// <summary>Opens every media.</summary>
internal sealed class FakePlayback : Contracts.V1.Playback.PlaybackBase
{
    public override Task<PlaybackLinks> GetLinks(GetLinksRequest request, ServerCallContext context) =>
        Task.FromResult(new PlaybackLinks { Poster = $"/play/{request.MediaId}/poster.jpg?token=ey" });
}
