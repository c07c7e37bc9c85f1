internal import HummingbirdCore
internal import HummingbirdTLS
internal import Logging
internal import NIOCore
internal import NIOHTTP1

/// Sets up connections: Hummingbird's HTTP/1.1 channel, with TLS where it is configured, between the guards that keep
/// the limits.
struct GuardedChannel: ServerChildChannel {
    struct Value: ServerChildChannelValue {
        let base: HTTP1Channel.Value
        let connection: Connection
        var channel: any Channel { connection.channel }
    }

    let base: HTTP1Channel
    let certificate: CertificateFiles?
    let connections: Connections
    let observer: ServerObserver
    let limits: ServerLimits

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let connection = Connection(channel)
        return channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(
                ByteGuard(connection, connections, observer))
        }.flatMap {
            guard let certificate else { return base.setup(channel: channel, logger: logger) }
            do {
                return try certificate.channel(base).setup(channel: channel, logger: logger)
            } catch {
                return channel.eventLoop.makeFailedFuture(error)
            }
        }.flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(
                RequestGuard(connection, observer, limits), position: .after(decoder))
            return Value(base: value, connection: connection)
        }
    }

    func handle(value: Value, logger: Logger) async {
        await withTaskExecutorPreference(value.connection.executor) {
            await Connection.$current.withValue(value.connection) {
                await base.handle(value: value.base, logger: logger)
            }
        }
    }
}
