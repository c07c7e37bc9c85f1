import Glibc
import Hummingbird
import Objects
import Serving
import Testing

@Suite("Limits of a server")
struct ServerLimitTests {
    @Test("a request ends at its deadline, which its header can only shorten")
    func deadlines() async throws {
        try await TestServer.run { server in
            for path in ["/busy", "/sleep"] {
                let late = try await server.get(path, ["X-Request-Timeout: 0.3"])
                #expect(late.status == 504, "\(path)")
                #expect(late.errorCode == "deadline_exceeded")
            }
            for value in ["soon", "-1", "0", "nan", "1e400"] {
                let wrong = try await server.get("/hello/a", ["X-Request-Timeout: \(value)"])
                #expect(wrong.status == 400, "\(value)")
            }
        }
        try await TestServer.run({ $0.limits.requestTime = .milliseconds(300) }) { server in
            let late = try await server.get("/busy", ["X-Request-Timeout: 60"])
            #expect(late.status == 504)
        }
    }

    @Test("a stream ends at its deadline with an error event")
    func streams() async throws {
        let pool = WorkPool(width: 1, queue: 1)
        try await TestServer.run(routes: { router in
            router.get("ticks") { _, context in
                try await context.stream(on: pool) { stream in
                    while true {
                        try stream.sendEvent(["tick": 1])
                        sleepMilliseconds(20)
                    }
                }
            }
        }) { server in
            let late = try await server.get("/ticks", ["X-Request-Timeout: 3"])
            #expect(late.status == 200)
            #expect(late.body.contains("\"tick\":1"))
            #expect(late.body.contains("deadline_exceeded"))
        }
    }

    @Test("a stream that fails ends with an event of the route's own form")
    func failureEvents() async throws {
        let pool = WorkPool(width: 1, queue: 1)
        try await TestServer.run(routes: { router in
            router.get("fails") { _, context in
                try await context.stream(
                    on: pool,
                    failureEvent: { failure, count in
                        ResponseStream.event([
                            "code": .integer(failure.status.code), "after": .integer(count),
                        ])
                    }
                ) { stream in
                    try stream.sendEvent(["n": 0])
                    try stream.sendEvent(["n": 1])
                    throw HTTPFailure(.tooManyRequests, "busy")
                }
            }
        }) { server in
            let failed = try await server.get("/fails")
            #expect(failed.body.contains("\"n\":1"))
            #expect(failed.body.contains("{\"after\":2,\"code\":429}"))
        }
    }

    @Test("work is cancelled when the client leaves", arguments: [true, false])
    func clientLeaves(resets: Bool) async throws {
        try await TestServer.run { server in
            let request = "GET /sleep HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let client = try await blocking { [port = server.port] in
                let client = try RawClient(port: port)
                try client.send(request)
                return client
            }
            #expect(try await eventually { server.handlers.contains("sleep") })
            if resets { client.reset() } else { client.shutdownSending() }
            #expect(try await eventually { server.handlers.contains("cancelled") })
            #expect(try await eventually { server.log.contains { $0.contains("\"status\":499") } })
        }
    }

    @Test("blocking work in a stream notices that the client left")
    func clientLeavesStream() async throws {
        try await TestServer.run { server in
            try await blocking { [port = server.port] in
                let client = try RawClient(port: port)
                try client.send("GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
                _ = client.read()
                client.reset()
            }
            #expect(try await eventually { server.handlers.contains("ended") })
            #expect(
                try await eventually { server.metrics.text.contains("http_connections 0\n") })
        }
    }

    @Test("a client that closed its sending side still gets a quick answer")
    func halfClosed() async throws {
        try await TestServer.run { server in
            let response = try await blocking { [port = server.port] in
                let client = try RawClient(port: port)
                try client.send("GET /hello/a HTTP/1.1\r\nHost: localhost\r\n\r\n")
                client.shutdownSending()
                return RawResponse(try client.readToEnd())
            }
            #expect(response.status == 200)
        }
    }

    @Test("a client that reads nothing is cut off, one that reads slowly is not")
    func readers() async throws {
        try await TestServer.run({ $0.limits.stallTime = .seconds(3) }) { server in
            async let none = blocking { [port = server.port] in
                let client = try RawClient(port: port, receiveBuffer: 4096)
                try client.send("GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n")
                return client
            }
            let slow = try await blocking { [port = server.port] in
                let client = try RawClient(port: port)
                try client.send("GET /big HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                var count = 0
                for round in 0... {
                    guard let part = client.read(upTo: 1 << 20), !part.isEmpty else { break }
                    count += part.count
                    if round < 60 { sleepMilliseconds(100) }
                }
                return count
            }
            #expect(slow > 32 << 20)
            #expect(
                try await eventually {
                    server.metrics.text.contains("http_refused_total{reason=\"stalled\"} 1\n")
                })
            _ = try await none
        }
    }

    @Test("one address may have so many connections, and proxies any number")
    func connections() async throws {
        for proxies in [[], ["127.0.0.0/8"]] {
            try await TestServer.run({
                $0.limits.connectionsPerAddress = 3
                $0.listen.proxies = proxies.compactMap { AddressRange($0) }
            }) { server in
                let clients = try await blocking { [port = server.port] in
                    try (0..<3).map { _ in try RawClient(port: port) }
                }
                #expect(
                    try await eventually {
                        server.metrics.text.contains("\nhttp_connections 3\n")
                    })
                let fourth = try await server.get("/hello/a")
                #expect(fourth.statuses == (proxies.isEmpty ? [] : [200]))
                let other = try await server.exchange(
                    Array("GET /hello/a HTTP/1.0\r\n\r\n".utf8), from: "127.0.0.2")
                #expect(other.status == 200)
                #expect(clients.count == 3)
            }
        }
    }

    @Test("more requests than the server handles at once get 429, and the health endpoints do not")
    func requests() async throws {
        try await TestServer.run({ $0.limits.requests = 1 }) { server in
            async let first = server.get("/sleep", ["X-Request-Timeout: 3"])
            #expect(try await eventually { server.handlers.contains("sleep") })
            let second = try await server.get("/hello/a")
            #expect(second.status == 429)
            #expect(second.header("retry-after") == "1")
            #expect(second.json?["error"]?["type"]?.string == "rate_limit_error")
            let health = try await server.get("/healthz")
            #expect(health.status == 200)
            #expect(try await first.status == 504)
            let third = try await server.get("/hello/a")
            #expect(third.status == 200)
        }
    }

    @Test("a body that is still coming takes no place, and large ones share a bounded memory")
    func bodies() async throws {
        try await TestServer.run({
            $0.limits.requests = 1
            $0.limits.bodyBytesInAll = 100_000
        }) { server in
            let head =
                "POST /json HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            let half = try await blocking { [port = server.port] in
                try (0..<3).map { number in
                    let client = try RawClient(port: port)
                    // The second and the third body together are larger than the memory for them.
                    let part = String(repeating: "1", count: number == 0 ? 10 : 120_000)
                    try client.send(head + "Content-Length: 200000\r\n\r\n[" + part)
                    return client
                }
            }
            let other = try await server.get("/hello/a")
            #expect(other.status == 200)
            let refused = try await blocking {
                half[1...].map { client in
                    client.setReadTimeout(seconds: 2)
                    return RawResponse(client.read() ?? []).status
                }
            }
            #expect(refused.contains(429))
            #expect(refused.contains(nil))
            let small = try await server.post("/json", "[1]")
            #expect(small.status == 200)
        }
    }

    @Test("work that does not fit in the queue gets 429")
    func queue() async throws {
        try await TestServer.run(pool: WorkPool(width: 1, queue: 0)) { server in
            async let first = server.get("/busy", ["X-Request-Timeout: 3"])
            #expect(try await eventually { server.handlers.contains("busy") })
            let second = try await server.get("/busy")
            #expect(second.status == 429)
            #expect(second.header("retry-after") == "1")
            #expect(try await first.status == 504)
        }
    }

    @Test("a body is asked for with 100 where the client expects it")
    func expectation() async throws {
        try await TestServer.run { server in
            let response = try await blocking { [port = server.port] in
                let client = try RawClient(port: port)
                try client.send(
                    "POST /json HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        + "Connection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
                let first = try client.read(until: "\r\n\r\n")
                try client.send("{}")
                return RawResponse(first + (try client.readToEnd()))
            }
            #expect(response.statuses == [100, 200])
        }
    }

    @Test("limits that cannot be kept are refused")
    func checks() {
        var limits = ServerLimits()
        limits.connections = 0
        #expect(throws: ServingError.self) { try limits.check() }
        limits = ServerLimits()
        limits.headerTime = .zero
        #expect(throws: ServingError.self) { try limits.check() }
    }
}
