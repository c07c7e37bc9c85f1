import Serving
import TestSupport
import Testing

@Suite("Hostile HTTP")
struct HostileHTTPTests {
    private static func limits(_ configuration: inout HTTPServer.Configuration) {
        configuration.limits.headerTime = .seconds(2)
        configuration.limits.bodyTime = .seconds(2)
        configuration.limits.idleTime = .seconds(2)
    }

    @Test("every malformed request is answered or cut off, reaches no handler, and harms no other")
    func requests() async throws {
        #expect(HostileRequest.all.count >= 48)
        try await TestServer.run(Self.limits) { server in
            for request in HostileRequest.all {
                let before = server.handlers.count
                let response = try await blocking { [port = server.port] in
                    let client = try RawClient(port: port)
                    for (index, part) in request.parts.enumerated() {
                        if index > 0 { sleepMilliseconds(100) }
                        try client.send(part)
                    }
                    switch request.after {
                    case .waits: break
                    case .stopsSending: client.shutdownSending()
                    case .leaves:
                        client.reset()
                        return RawResponse([])
                    }
                    return RawResponse(try client.readToEnd())
                }
                if request.after != .leaves {
                    #expect(
                        request.statuses.contains(response.statuses),
                        "\(request.name): \(response.statuses) \(response.text.prefix(300))")
                }
                let good = try await server.get("/hello/good")
                #expect(good.status == 200, "after \(request.name)")
                #expect(
                    server.handlers.dropFirst(before) == (request.reaches + ["hello"])[...],
                    "\(request.name)")
            }
        }
    }
}
