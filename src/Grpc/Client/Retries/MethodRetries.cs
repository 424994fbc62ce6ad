using Grpc.Core;
using Grpc.Net.Client.Configuration;

namespace Grpc.Net.Client.Retries;

/// <summary>A channel's retry rules by method, and what its retried calls share.</summary>
sealed class MethodRetries
{
    readonly Dictionary<(string Service, string Method), RetryRules> _rules = [];
    readonly long? _maxBufferBytes;
    long _bufferedBytes;

    /// <exception cref="InvalidOperationException">The service config is contradictory or incomplete.</exception>
    public MethodRetries(GrpcChannelOptions options)
    {
        _maxBufferBytes = options.MaxRetryBufferSize;
        MaxCallBufferBytes = options.MaxRetryBufferPerCallSize;
        if (options.ServiceConfig is not { } config)
            return;

        Throttle = config.RetryThrottling is { } throttling ? new RetryThrottle(throttling) : null;
        foreach (var method in config.MethodConfigs)
        {
            if (method.RetryPolicy is not { } policy)
                continue;
            var rules = RetryRules.From(policy, options.MaxRetryAttempts);
            foreach (var name in method.Names)
                Add(name, rules);
        }
    }

    public RetryThrottle? Throttle { get; }

    public long? MaxCallBufferBytes { get; }

    /// <summary>Null: calls of that method are made once.</summary>
    public RetryRules? For(IMethod method)
    {
        if (_rules.Count == 0)
            return null;
        return _rules.GetValueOrDefault((method.ServiceName, method.Name))
            ?? _rules.GetValueOrDefault((method.ServiceName, string.Empty))
            ?? _rules.GetValueOrDefault((string.Empty, string.Empty));
    }

    /// <summary>False: the calls of this channel hold enough already.</summary>
    public bool TryReserve(long bytes)
    {
        if (Interlocked.Add(ref _bufferedBytes, bytes) <= (_maxBufferBytes ?? long.MaxValue))
            return true;
        Release(bytes);
        return false;
    }

    public void Release(long bytes) => Interlocked.Add(ref _bufferedBytes, -bytes);

    void Add(MethodName name, RetryRules rules)
    {
        var (service, method) = (name.Service ?? string.Empty, name.Method ?? string.Empty);
        if (service.Length == 0 && method.Length > 0)
            throw new InvalidOperationException($"A method config names the method {method} without its service.");
        if (!_rules.TryAdd((service, method), rules))
            throw new InvalidOperationException($"Two method configs are for the same name: /{service}/{method}.");
    }
}
