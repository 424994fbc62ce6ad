using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Reflection.V1;

namespace Grpc.Reflection;

/// <summary>Serves <c>grpc.reflection.v1.ServerReflection</c>, from which tools learn the services.</summary>
public class ReflectionServiceImpl : ServerReflection.ServerReflectionBase
{
    readonly IReadOnlyList<string> _services;
    readonly SymbolRegistry _symbols;

    public ReflectionServiceImpl(params ServiceDescriptor[] services)
        : this((IEnumerable<ServiceDescriptor>)services)
    {
    }

    public ReflectionServiceImpl(IEnumerable<ServiceDescriptor> services)
    {
        var known = services.ToList();
        _services = [.. known.Select(service => service.FullName).Distinct().Order(StringComparer.Ordinal)];
        _symbols = SymbolRegistry.FromFiles(known.Select(service => service.File));
    }

    public override async Task ServerReflectionInfo(
        IAsyncStreamReader<ServerReflectionRequest> requestStream,
        IServerStreamWriter<ServerReflectionResponse> responseStream,
        ServerCallContext context)
    {
        await foreach (var request in requestStream.ReadAllAsync(context.CancellationToken))
        {
            var response = Answer(request);
            response.ValidHost = request.Host;
            response.OriginalRequest = request;
            await responseStream.WriteAsync(response, context.CancellationToken);
        }
    }

    ServerReflectionResponse Answer(ServerReflectionRequest request) => request.MessageRequestCase switch
    {
        ServerReflectionRequest.MessageRequestOneofCase.FileByFilename =>
            Files(_symbols.FileByName(request.FileByFilename), "file", request.FileByFilename),
        ServerReflectionRequest.MessageRequestOneofCase.FileContainingSymbol =>
            Files(_symbols.FileContainingSymbol(request.FileContainingSymbol), "symbol", request.FileContainingSymbol),
        ServerReflectionRequest.MessageRequestOneofCase.FileContainingExtension => Files(
            _symbols.FileContainingExtension(
                request.FileContainingExtension.ContainingType, request.FileContainingExtension.ExtensionNumber),
            "extension",
            $"{request.FileContainingExtension.ContainingType} {request.FileContainingExtension.ExtensionNumber}"),
        ServerReflectionRequest.MessageRequestOneofCase.AllExtensionNumbersOfType =>
            Extensions(request.AllExtensionNumbersOfType),
        ServerReflectionRequest.MessageRequestOneofCase.ListServices => Services(),
        _ => Error(StatusCode.InvalidArgument, "The request asks for nothing that this server knows of."),
    };

    ServerReflectionResponse Services()
    {
        var list = new ListServiceResponse();
        list.Service.Add(_services.Select(name => new ServiceResponse { Name = name }));
        return new() { ListServicesResponse = list };
    }

    ServerReflectionResponse Extensions(string message)
    {
        if (!_symbols.TryGetExtensionNumbers(message, out var numbers))
            return Error(StatusCode.NotFound, $"The message {message} is not known here.");
        var response = new ExtensionNumberResponse { BaseTypeName = message };
        response.ExtensionNumber.Add(numbers);
        return new() { AllExtensionNumbersResponse = response };
    }

    static ServerReflectionResponse Files(FileDescriptor? file, string kind, string name)
    {
        if (file is null)
            return Error(StatusCode.NotFound, $"The {kind} {name} is not known here.");
        var files = new HashSet<FileDescriptor>();
        var response = new FileDescriptorResponse();
        response.FileDescriptorProto.Add(WithImports(file, files));
        return new() { FileDescriptorResponse = response };
    }

    static IEnumerable<ByteString> WithImports(FileDescriptor file, HashSet<FileDescriptor> seen) => seen.Add(file)
        ? file.Dependencies.SelectMany(imported => WithImports(imported, seen)).Prepend(file.SerializedData)
        : [];

    static ServerReflectionResponse Error(StatusCode code, string message) =>
        new() { ErrorResponse = new ErrorResponse { ErrorCode = (int)code, ErrorMessage = message } };
}
