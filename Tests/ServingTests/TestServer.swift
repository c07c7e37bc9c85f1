import Foundation
import Hummingbird
import Logging
import Objects
import ServiceLifecycle
import Serving
import Synchronization

/// A server on a free port of the loopback interface, for one test.
final class TestServer: Sendable {
    let port: Int
    let metrics: Metrics
    private let group: ServiceGroup
    private let task: Task<Void, any Error>
    private let lines: Lines
    private let reached: Lines

    private init(
        port: Int, metrics: Metrics, group: ServiceGroup, task: Task<Void, any Error>, lines: Lines,
        reached: Lines
    ) {
        self.port = port
        self.metrics = metrics
        self.group = group
        self.task = task
        self.lines = lines
        self.reached = reached
    }

    /// Runs a server while `body` does.
    static func run(
        _ configure: (inout HTTPServer.Configuration) -> Void = { _ in },
        health: Health = Health(), pool: WorkPool? = nil,
        routes: (Router<ServingContext>) -> Void = { _ in },
        _ body: (TestServer) async throws -> Void
    ) async throws {
        let server = try await start(configure, health: health, pool: pool, routes: routes)
        do {
            try await body(server)
        } catch {
            try? await server.stop()
            throw error
        }
        try await server.stop()
    }

    static func start(
        _ configure: (inout HTTPServer.Configuration) -> Void = { _ in },
        health: Health = Health(), pool: WorkPool? = nil,
        routes: (Router<ServingContext>) -> Void = { _ in }
    ) async throws -> TestServer {
        let (lines, reached) = (Lines(), Lines())
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        var configuration = HTTPServer.Configuration()
        configuration.listen.port = 0
        configuration.drainTime = .seconds(5)
        configuration.logger = Logger(label: "test") { _ in
            LineLogHandler(level: .info) { lines.add(String(decoding: $0, as: UTF8.self)) }
        }
        configuration.onListening = { port.yield($0) }
        configure(&configuration)
        let metrics = Metrics()
        let server = try HTTPServer(configuration, metrics: metrics, health: health) { router in
            addRoutes(router, reached, pool ?? WorkPool(width: 2, queue: 8, metrics: metrics))
            routes(router)
        }
        let group = ServiceGroup(
            configuration: .init(
                services: [server],
                logger: Logger(label: "group") { _ in
                    SwiftLogNoOpLogHandler()
                }))
        let task = Task {
            defer { port.finish() }
            try await group.run()
        }
        guard let number = await ports.first(where: { _ in true }) else {
            try await task.value
            throw NoPort()
        }
        return TestServer(
            port: number, metrics: metrics, group: group, task: task, lines: lines,
            reached: reached)
    }

    private struct NoPort: Error {}

    private static func addRoutes(
        _ router: Router<ServingContext>, _ reached: Lines, _ pool: WorkPool
    ) {
        router.get("hello/:name") { _, context in
            reached.add("hello")
            return Response.json(["hello": .string(try context.pathParameter("name"))])
        }
        router.post("json") { request, context in
            let json = try await request.json(context)
            reached.add("json")
            return Response.json(json)
        }
        router.get("busy") { _, context in
            reached.add("busy")
            let deadline = context.deadline
            try await context.run(on: pool) {
                while !deadline.hasEnded { sleepMilliseconds(5) }
                throw WorkPool.Refusal.ended
            }
            return Response.json(["done": true])
        }
        router.get("sleep") { _, _ in
            reached.add("sleep")
            do {
                try await Task.sleep(for: .seconds(60))
            } catch {
                reached.add("cancelled")
                throw error
            }
            return Response.json(["done": true])
        }
        router.get("events") { _, context in
            try await context.stream(on: pool) { stream in
                for number in 0..<3 { try stream.sendEvent(["n": .integer(number)]) }
                try stream.sendEvent("[DONE]")
            }
        }
        router.get("endless") { _, context in
            try await context.stream(on: pool, contentType: "text/plain") { stream in
                let part = [UInt8](repeating: 0x61, count: 16 << 10)
                do {
                    while true { try stream.send(part) }
                } catch {
                    reached.add("ended")
                    throw error
                }
            }
        }
        router.get("big") { _, _ in
            reached.add("big")
            return Response(
                status: .ok,
                body: .init(byteBuffer: ByteBuffer(repeating: 0x62, count: 32 << 20)))
        }
    }

    /// Tells the server to stop, and waits until it has.
    func stop() async throws {
        await group.triggerGracefulShutdown()
        try await task.value
    }

    func triggerStop() async { await group.triggerGracefulShutdown() }

    /// The lines of the log so far.
    var log: [String] { lines.all }
    /// The names of the handlers that were reached so far.
    var handlers: [String] { reached.all }

    /// Sends bytes on a new connection and returns everything until the server closes it.
    func exchange(_ request: String) async throws -> RawResponse {
        try await exchange(Array(request.utf8))
    }

    func exchange(_ request: [UInt8], from address: String = "127.0.0.1") async throws
        -> RawResponse
    {
        try await blocking { [port] in
            let client = try RawClient(port: port, from: address)
            try client.send(request)
            return RawResponse(try client.readToEnd())
        }
    }

    /// A request with the headers that every good one has, which closes its connection.
    func get(_ path: String, _ headers: [String] = [], method: String = "GET") async throws
        -> RawResponse
    {
        let lines =
            ["\(method) \(path) HTTP/1.1", "Host: localhost", "Connection: close"] + headers
        return try await exchange(lines.joined(separator: "\r\n") + "\r\n\r\n")
    }

    func post(_ path: String, _ body: String, _ headers: [String] = []) async throws
        -> RawResponse
    {
        let length = "Content-Length: \(body.utf8.count)"
        let lines =
            [
                "POST \(path) HTTP/1.1", "Host: localhost", "Connection: close", length,
                "Content-Type: application/json",
            ] + headers
        return try await exchange(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
    }
}

/// Lines that several tasks add.
final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

/// Runs blocking code on a thread outside the pool that runs the server.
func blocking<Result: Sendable>(
    _ body: @escaping @Sendable () throws -> Result
) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread {
            continuation.resume(with: Swift.Result { try body() })
        }
    }
}

/// Waits until a condition holds, for at most 20 seconds.
func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    for _ in 0..<2000 {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return false
}
