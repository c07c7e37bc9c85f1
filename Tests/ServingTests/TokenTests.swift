import Objects
import Serving
import Storage
import TestSupport
import Testing

@Suite("Tokens")
struct TokenTests {
    private static func digest(_ token: String) -> String {
        ObjectID(of: Array(token.utf8).span).hex
    }

    @Test("only a known token lets a request in, and its name is logged, not itself")
    func requests() async throws {
        let folder = try TemporaryDirectory()
        let path = try folder.write(
            "tokens", "# ours\n\nann \(Self.digest("secret-1"))\nbob \(Self.digest("secret-2"))\n")
        let tokens = try TokenFile(path)
        try await TestServer.run({
            $0.tokens = tokens
            $0.openPaths = ["/hello/open"]
        }) { server in
            let none = try await server.get("/hello/a")
            #expect(none.status == 401)
            #expect(none.header("www-authenticate") == "Bearer")
            #expect(none.json?["error"]?["type"]?.string == "authentication_error")
            for value in ["Bearer wrong", "Bearer", "Basic c2VjcmV0LTE=", "Bearer secret-1 x", ""] {
                let refused = try await server.get("/hello/a", ["Authorization: \(value)"])
                #expect(refused.status == 401, "\(value)")
            }
            let unknown = try await server.get("/nowhere")
            #expect(unknown.status == 401, "what paths there are is for those with a token")
            let body = try await server.post("/json", "{}")
            #expect(body.status == 401)
            #expect(server.handlers.isEmpty)

            let good = try await server.get("/hello/a", ["authorization: bearer secret-2"])
            #expect(good.status == 200)
            for path in ["/healthz", "/readyz", "/metrics", "/hello/open"] {
                let open = try await server.get(path)
                #expect(open.status == 200, "\(path)")
            }
            for path in ["//hello/open", "/hello/open/", "/hello/%6fpen", "//healthz"] {
                let closed = try await server.get(path)
                #expect(closed.status == 401, "\(path)")
            }
            let log = server.log.joined()
            #expect(log.contains("\"token\":\"bob\""))
            #expect(!log.contains("secret"))
        }
    }

    @Test("all paths below an open folder are open, and their routes learn the token's name")
    func openFolders() async throws {
        let folder = try TemporaryDirectory()
        let tokens = try TokenFile(try folder.write("tokens", "ann \(Self.digest("a"))"))
        try await TestServer.run({
            $0.tokens = tokens
            $0.openPaths = ["/hello/*"]
        }) { server in
            for path in ["/hello/a", "/hello/b"] {
                let open = try await server.get(path)
                #expect(open.status == 200, "\(path)")
            }
            let wrong = try await server.get("/hello/a", ["Authorization: Bearer b"])
            #expect(wrong.status == 401)
            for path in ["/hello", "/hellos", "/json", "/hello/../json", "/hello/%2e%2e/json"] {
                let closed = try await server.get(path)
                #expect(closed.status == 401 || closed.status == 404, "\(path)")
            }
            let known = try await server.get("/hello/a", ["Authorization: Bearer a"])
            #expect(known.status == 200)
            #expect(server.log.joined().contains("\"token\":\"ann\""))
        }
    }

    @Test("metrics can need a token")
    func metrics() async throws {
        let folder = try TemporaryDirectory()
        let tokens = try TokenFile(try folder.write("tokens", "ann \(Self.digest("a"))"))
        try await TestServer.run({
            $0.tokens = tokens
            $0.metricsNeedToken = true
        }) { server in
            let none = try await server.get("/metrics")
            #expect(none.status == 401)
            let some = try await server.get("/metrics", ["Authorization: Bearer a"])
            #expect(some.status == 200)
        }
    }

    @Test("a changed file is read again; a wrong one leaves the tokens as they were and is logged")
    func changes() async throws {
        let folder = try TemporaryDirectory()
        let path = try folder.write("tokens", "ann \(Self.digest("old"))\n")
        let tokens = try TokenFile(path)
        try await TestServer.run({ $0.tokens = tokens }) { server in
            func status(_ token: String) async throws -> Int? {
                try await server.get("/hello/a", ["Authorization: Bearer \(token)"]).status
            }
            #expect(try await status("old") == 200)
            _ = try folder.write("tokens", "ann \(Self.digest("new"))\n")
            #expect(try await eventually { try await status("new") == 200 })
            #expect(try await status("old") == 401)
            _ = try folder.write("tokens", "ann nonsense\n")
            #expect(try await eventually { server.log.contains { $0.contains("stay as they") } })
            #expect(try await status("new") == 200)
        }
    }

    @Test(
        "a wrong line is named",
        arguments: [
            ("ann", 1), ("# fine\nann xyz", 2), ("ann \(digest("a")) more", 1),
            ("a/b \(digest("a"))", 1), ("ann \(digest(""))", 1),
            ("ann \(digest("a"))\nbob \(digest("a"))", 2), ("", 1), ("# none\n", 2),
            ("ann \(digest("a").dropLast())", 1),
        ])
    func wrong(text: String, line: Int) throws {
        let folder = try TemporaryDirectory()
        let path = try folder.write("tokens", text)
        do throws(ServingError) {
            _ = try TokenFile(path)
            Issue.record("it was accepted")
        } catch {
            guard case .tokens(path, line, _) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(error.fault == .usage)
            #expect(error.remedy?.contains("sha256sum") == true)
        }
    }

    @Test("digests may be in upper case, and lines may end with a carriage return")
    func forms() throws {
        let folder = try TemporaryDirectory()
        let path = try folder.write("tokens", "ann\t\(Self.digest("a").uppercased())\r\n")
        let tokens = try TokenFile(path)
        #expect(tokens.name(of: "a") == "ann")
        #expect(tokens.name(of: "b") == nil)
        #expect(tokens.names == ["ann"])
    }

    @Test("a server for other machines asks for tokens", arguments: ["0.0.0.0", "::", "192.0.2.1"])
    func needed(address: String) throws {
        var configuration = HTTPServer.Configuration()
        configuration.listen.address = address
        #expect(throws: ServingError.needsTokens(address: address)) {
            _ = try HTTPServer(configuration) { _ in }
        }
        let folder = try TemporaryDirectory()
        configuration.tokens = try TokenFile(
            try folder.write("tokens", "ann \(Self.digest("a"))"))
        _ = try HTTPServer(configuration) { _ in }
    }
}
