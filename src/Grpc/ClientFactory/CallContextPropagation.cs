using Grpc.AspNetCore.ClientFactory;
using Grpc.AspNetCore.Server.Features;
using Grpc.Core;
using Grpc.Net.ClientFactory;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Grpc.AspNetCore.ClientFactory
{
    public class GrpcContextPropagationOptions
    {
        /// <summary>Calls outside of a call that is being answered go as they are, instead of failing.</summary>
        public bool SuppressContextNotFoundErrors { get; set; }
    }
}

namespace Microsoft.Extensions.DependencyInjection
{
    public static class GrpcServerHttpClientBuilderExtensions
    {
        /// <summary>Calls of this client end with the call that they are made for: by its deadline or cancellation.
        /// </summary>
        public static IHttpClientBuilder EnableCallContextPropagation(this IHttpClientBuilder builder) =>
            builder.EnableCallContextPropagation(_ => { });

        public static IHttpClientBuilder EnableCallContextPropagation(
            this IHttpClientBuilder builder, Action<GrpcContextPropagationOptions> configureOptions)
        {
            ArgumentNullException.ThrowIfNull(builder);
            ArgumentNullException.ThrowIfNull(configureOptions);
            var options = new GrpcContextPropagationOptions();
            configureOptions(options);
            builder.Services.AddHttpContextAccessor();
            builder.Services.AddTransient<IConfigureOptions<GrpcClientFactoryOptions>>(_ =>
                new ConfigureNamedOptions<GrpcClientFactoryOptions>(
                    builder.Name, client => client.CallOptionsActions.Add(context => Propagate(context, options))));
            return builder;
        }

        static void Propagate(CallOptionsContext made, GrpcContextPropagationOptions options)
        {
            var answered = made.ServiceProvider.GetRequiredService<IHttpContextAccessor>().HttpContext?
                .Features.Get<IServerCallContextFeature>()?.ServerCallContext;
            if (answered is not null)
                made.CallOptions = made.CallOptions.WithPropagationToken(answered.CreatePropagationToken());
            else if (!options.SuppressContextNotFoundErrors)
            {
                throw new InvalidOperationException(
                    "The client is to end its calls with the one that they are made for, and there is none here: "
                    + "use it while a gRPC call is answered, or set SuppressContextNotFoundErrors.");
            }
        }
    }
}
