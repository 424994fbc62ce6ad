using Google.Protobuf;
using Wire = Hexcast.Contracts.Etcd.Compare;

namespace Hexcast.Coordination.Client;

/// <summary>
/// A guard of a transaction: <c>Compare.CreateRevision(key).EqualTo(fence)</c>. A missing key has revisions, version
/// and lease 0; a comparison of its value never holds.
/// </summary>
public sealed class Compare
{
    private Compare(Wire message) => Message = message;

    internal Wire Message { get; }

    public static Number CreateRevision(string key) =>
        new(key, Wire.Types.CompareTarget.Create, (message, value) => message.CreateRevision = value);

    public static Number ModRevision(string key) =>
        new(key, Wire.Types.CompareTarget.Mod, (message, value) => message.ModRevision = value);

    public static Number Version(string key) =>
        new(key, Wire.Types.CompareTarget.Version, (message, value) => message.Version = value);

    public static Compare ValueEquals(string key, ByteString value) => new(new Wire
    {
        Key = KeyBytes.Of(key),
        Target = Wire.Types.CompareTarget.Value,
        Result = Wire.Types.CompareResult.Equal,
        Value = value,
    });

    /// <summary>The key does not exist.</summary>
    public static Compare Missing(string key) => CreateRevision(key).EqualTo(0);

    public static Compare Exists(string key) => CreateRevision(key).GreaterThan(0);

    public sealed class Number
    {
        private readonly string _key;
        private readonly Wire.Types.CompareTarget _target;
        private readonly Action<Wire, long> _set;

        internal Number(string key, Wire.Types.CompareTarget target, Action<Wire, long> set) =>
            (_key, _target, _set) = (key, target, set);

        public Compare EqualTo(long value) => Build(Wire.Types.CompareResult.Equal, value);

        public Compare GreaterThan(long value) => Build(Wire.Types.CompareResult.Greater, value);

        public Compare LessThan(long value) => Build(Wire.Types.CompareResult.Less, value);

        private Compare Build(Wire.Types.CompareResult result, long value)
        {
            var message = new Wire { Key = KeyBytes.Of(_key), Target = _target, Result = result };
            _set(message, value);
            return new Compare(message);
        }
    }
}
