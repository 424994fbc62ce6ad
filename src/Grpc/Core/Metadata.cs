using System.Collections;
using System.Text;

namespace Grpc.Core;

/// <summary>Headers or trailers of a call, in order; a key can occur more than once.</summary>
public sealed class Metadata : IList<Metadata.Entry>
{
    /// <summary>The end of every key whose value is bytes; such values travel as base64.</summary>
    public const string BinaryHeaderSuffix = "-bin";

    /// <summary>No entries, and none can be added.</summary>
    public static readonly Metadata Empty = new Metadata().Freeze();

    readonly List<Entry> _entries = [];
    bool _frozen;

    public int Count => _entries.Count;

    public bool IsReadOnly => _frozen;

    public Entry this[int index]
    {
        get => _entries[index];
        set
        {
            ThrowIfFrozen();
            _entries[index] = NotNull(value);
        }
    }

    /// <summary>The last entry of that key, or null.</summary>
    public Entry? Get(string key)
    {
        for (var i = _entries.Count - 1; i >= 0; i--)
        {
            if (_entries[i].KeyIs(key))
                return _entries[i];
        }

        return null;
    }

    public string? GetValue(string key) => Get(key)?.Value;

    public byte[]? GetValueBytes(string key) => Get(key)?.ValueBytes;

    public IEnumerable<Entry> GetAll(string key) => _entries.Where(entry => entry.KeyIs(key));

    public void Add(string key, string value) => Add(new Entry(key, value));

    public void Add(string key, byte[] valueBytes) => Add(new Entry(key, valueBytes));

    public void Add(Entry item)
    {
        ThrowIfFrozen();
        _entries.Add(NotNull(item));
    }

    public void Insert(int index, Entry item)
    {
        ThrowIfFrozen();
        _entries.Insert(index, NotNull(item));
    }

    public bool Remove(Entry item)
    {
        ThrowIfFrozen();
        return _entries.Remove(item);
    }

    public void RemoveAt(int index)
    {
        ThrowIfFrozen();
        _entries.RemoveAt(index);
    }

    public void Clear()
    {
        ThrowIfFrozen();
        _entries.Clear();
    }

    public int IndexOf(Entry item) => _entries.IndexOf(item);

    public bool Contains(Entry item) => _entries.Contains(item);

    public void CopyTo(Entry[] array, int arrayIndex) => _entries.CopyTo(array, arrayIndex);

    public IEnumerator<Entry> GetEnumerator() => _entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _entries.GetEnumerator();

    internal Metadata Freeze()
    {
        _frozen = true;
        return this;
    }

    void ThrowIfFrozen()
    {
        if (_frozen)
            throw new InvalidOperationException("This metadata is read-only: copy its entries into a new one.");
    }

    static Entry NotNull(Entry item)
    {
        ArgumentNullException.ThrowIfNull(item);
        return item;
    }

    /// <summary>One key with text (visible ASCII) or, where the key ends in -bin, bytes.</summary>
    public sealed class Entry
    {
        readonly string? _value;
        readonly byte[]? _valueBytes;

        public Entry(string key, string value)
        {
            ArgumentNullException.ThrowIfNull(value);
            Key = NormalKey(key);
            if (IsBinary)
                throw new ArgumentException($"The key {Key} ends in -bin: give its value as bytes.", nameof(value));
            _value = value;
        }

        public Entry(string key, byte[] valueBytes)
        {
            ArgumentNullException.ThrowIfNull(valueBytes);
            Key = NormalKey(key);
            if (!IsBinary)
                throw new ArgumentException($"The key {Key} must end in -bin to hold bytes.", nameof(key));
            _valueBytes = valueBytes;
        }

        public string Key { get; }

        public bool IsBinary => Key.EndsWith(BinaryHeaderSuffix, StringComparison.Ordinal);

        public string Value => _value
            ?? throw new InvalidOperationException($"The value of {Key} is bytes: read ValueBytes.");

        public byte[] ValueBytes => _valueBytes ?? Encoding.ASCII.GetBytes(_value!);

        public override string ToString() => IsBinary
            ? $"[Entry: key={Key}, valueBytes={Convert.ToBase64String(_valueBytes!)}]"
            : $"[Entry: key={Key}, value={_value}]";

        internal bool KeyIs(string key) => string.Equals(Key, key, StringComparison.OrdinalIgnoreCase);

        static string NormalKey(string key)
        {
            ArgumentNullException.ThrowIfNull(key);
            if (!IsValidKey(key))
            {
                throw new ArgumentException(
                    $"The metadata key \"{key}\" may hold only letters, digits and the characters . - _", nameof(key));
            }

            return key.ToLowerInvariant();
        }

        static bool IsValidKey(string key)
        {
            if (key.Length == 0)
                return false;
            foreach (var c in key)
            {
                if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_'))
                    return false;
            }

            return true;
        }
    }
}
