import Hummingbird
import Serving
import Testing

@Suite("Stopping a server")
struct StopTests {
    @Test("requests finish, readiness ends, and no new connection is accepted")
    func graceful() async throws {
        let server = try await TestServer.start({ $0.announceTime = .seconds(2) }) { router in
            router.get("soon") { _, _ in
                try await Task.sleep(for: .seconds(4))
                return "done"
            }
        }
        async let slow = server.get("/soon")
        #expect(try await eventually { server.metrics.text.contains("in_flight 1\n") })
        await server.triggerStop()
        #expect(try await eventually { try await server.get("/readyz").status == 503 })
        let health = try await server.get("/healthz")
        #expect(health.status == 200)
        let response = try await slow
        #expect(response.status == 200)
        #expect(response.body == "done")
        try await server.stop()
        await #expect(throws: RawClient.Failure.self) { try await server.get("/healthz") }
    }

    @Test("a large response that is under way is sent whole")
    func large() async throws {
        let server = try await TestServer.start()
        async let big = blocking { [port = server.port] in
            let client = try RawClient(port: port)
            try client.send("GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n")
            var count = 0
            for round in 0... {
                guard let part = client.read(upTo: 1 << 20), !part.isEmpty else { break }
                count += part.count
                if round < 20 { sleepMilliseconds(50) }
            }
            return count
        }
        #expect(try await eventually { server.handlers.contains("big") })
        await server.triggerStop()
        #expect(try await big > 32 << 20)
        try await server.stop()
    }

    @Test("what does not finish in time is cut off")
    func cut() async throws {
        let server = try await TestServer.start({ $0.drainTime = .milliseconds(300) })
        async let endless = server.get("/sleep")
        #expect(try await eventually { server.handlers.contains("sleep") })
        try await server.stop()
        let response = try await endless
        #expect(response.statuses == [] || response.statuses == [503])
        #expect(server.handlers.contains("cancelled"))
    }

    @Test("an address that is taken is named")
    func taken() async throws {
        try await TestServer.run { first in
            await #expect(throws: ServingError.self) {
                _ = try await TestServer.start { $0.listen.port = first.port }
            }
        }
    }
}
