using System.Diagnostics.CodeAnalysis;
using Google.Protobuf.Reflection;

namespace Grpc.Reflection;

/// <summary>Which file defines a name: of services and messages with all that is nested in them.</summary>
public class SymbolRegistry
{
    readonly Dictionary<string, FileDescriptor> _byName = new(StringComparer.Ordinal);
    readonly Dictionary<string, FileDescriptor> _bySymbol = new(StringComparer.Ordinal);
    readonly Dictionary<string, SortedDictionary<int, FileDescriptor>> _extensions = new(StringComparer.Ordinal);

    SymbolRegistry()
    {
    }

    /// <summary>Takes in the files and all that they import.</summary>
    public static SymbolRegistry FromFiles(IEnumerable<FileDescriptor> fileDescriptors)
    {
        ArgumentNullException.ThrowIfNull(fileDescriptors);
        var registry = new SymbolRegistry();
        foreach (var file in fileDescriptors)
            registry.Add(file);
        return registry;
    }

    public FileDescriptor? FileByName(string filename) => _byName.GetValueOrDefault(filename);

    /// <param name="symbol">Full name of a service, method, message, field, enum, enum value or extension.</param>
    public FileDescriptor? FileContainingSymbol(string symbol) => _bySymbol.GetValueOrDefault(symbol);

    /// <param name="message">Full name of the message that is extended.</param>
    /// <param name="number">The extension's field number.</param>
    public FileDescriptor? FileContainingExtension(string message, int number) =>
        _extensions.GetValueOrDefault(message)?.GetValueOrDefault(number);

    /// <summary>The numbers in order; false for a message that is not known here.</summary>
    public bool TryGetExtensionNumbers(string message, [NotNullWhen(true)] out IReadOnlyCollection<int>? numbers)
    {
        numbers = _extensions.TryGetValue(message, out var known) ? known.Keys
            : _bySymbol.TryGetValue(message, out var file) && IsMessage(file, message) ? [] : null;
        return numbers is not null;
    }

    void Add(FileDescriptor file)
    {
        if (!_byName.TryAdd(file.Name, file))
            return;
        foreach (var imported in file.Dependencies)
            Add(imported);
        foreach (var service in file.Services)
        {
            _bySymbol[service.FullName] = file;
            foreach (var method in service.Methods)
                _bySymbol[method.FullName] = file;
        }

        foreach (var message in file.MessageTypes)
            Add(file, message);
        foreach (var value in file.EnumTypes)
            Add(file, value);
        Add(file, file.Extensions);
    }

    void Add(FileDescriptor file, MessageDescriptor message)
    {
        _bySymbol[message.FullName] = file;
        foreach (var field in message.Fields.InDeclarationOrder())
            _bySymbol[field.FullName] = file;
        foreach (var oneof in message.Oneofs)
            _bySymbol[oneof.FullName] = file;
        foreach (var nested in message.NestedTypes)
            Add(file, nested);
        foreach (var nested in message.EnumTypes)
            Add(file, nested);
        Add(file, message.Extensions);
    }

    // As in C++, the values of an enum are siblings of its type.
    void Add(FileDescriptor file, EnumDescriptor type)
    {
        _bySymbol[type.FullName] = file;
        var scope = type.FullName[..^type.Name.Length];
        foreach (var value in type.Values)
            _bySymbol[scope + value.Name] = file;
    }

    void Add(FileDescriptor file, ExtensionCollection extensions)
    {
        foreach (var extension in extensions.UnorderedExtensions)
        {
            _bySymbol[extension.FullName] = file;
            var extended = extension.ExtendeeType.FullName;
            if (!_extensions.TryGetValue(extended, out var numbers))
                _extensions.Add(extended, numbers = []);
            numbers[extension.FieldNumber] = file;
        }
    }

    static bool IsMessage(FileDescriptor file, string fullName) =>
        Messages(file.MessageTypes).Any(message => message.FullName == fullName);

    static IEnumerable<MessageDescriptor> Messages(IEnumerable<MessageDescriptor> messages) =>
        messages.SelectMany(message => Messages(message.NestedTypes).Prepend(message));
}
