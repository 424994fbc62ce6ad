using Grpc.Net.Client.Configuration;

namespace Grpc.Net.Client.Retries;

/// <summary>The channel's count of how well its calls go; shared by them all.</summary>
sealed class RetryThrottle
{
    readonly Lock _gate = new();
    readonly int _maxTokens;
    readonly double _tokenRatio;
    double _tokens;

    public RetryThrottle(RetryThrottlingPolicy policy)
    {
        _maxTokens = policy.MaxTokens is > 0 and { } tokens ? tokens : throw Wrong(nameof(policy.MaxTokens));
        _tokenRatio = policy.TokenRatio is > 0 and { } ratio ? ratio : throw Wrong(nameof(policy.TokenRatio));
        _tokens = _maxTokens;
    }

    /// <summary>Nothing is retried now.</summary>
    public bool IsActive
    {
        get
        {
            lock (_gate)
                return _tokens <= _maxTokens / 2.0;
        }
    }

    public void OnFailure()
    {
        lock (_gate)
            _tokens = Math.Max(_tokens - 1, 0);
    }

    public void OnSuccess()
    {
        lock (_gate)
            _tokens = Math.Min(_tokens + _tokenRatio, _maxTokens);
    }

    static InvalidOperationException Wrong(string name) =>
        new($"The retry throttling's {name} is not set, or not above 0.");
}
