import Foundation
import Logging
import Serving
import Synchronization
import TestSupport
import Testing

@Suite("Where a server listens")
struct ListenTests {
    @Test("addresses, ports and hosts that cannot be used are named")
    func checks() {
        for (change, key) in [
            ({ $0.address = "example.org" }, "listen.address"),
            ({ $0.address = "127.0.0.1/8" }, "listen.address"),
            ({ $0.port = 70000 }, "listen.port"),
            ({ $0.hosts = ["a b"] }, "listen.hosts"),
            ({ $0.hosts = ["example.org:80"] }, "listen.hosts"),
        ] as [((inout ListenConfiguration) -> Void, String)] {
            var listen = ListenConfiguration()
            change(&listen)
            do throws(ServingError) {
                try listen.check()
                Issue.record("\(key) was accepted")
            } catch {
                guard case .setting(key, _) = error else {
                    Issue.record("\(error)")
                    continue
                }
            }
        }
    }

    @Test("networks are in CIDR notation")
    func ranges() {
        for text in ["10.0.0.0/8", "10.1.2.3", "::1", "2001:db8::/32", "0.0.0.0/0", "::/0"] {
            #expect(AddressRange(text) != nil, "\(text)")
        }
        for text in [
            "", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0",
            "::/129", "localhost", "10.0.0.0/8/8",
        ] {
            #expect(AddressRange(text) == nil, "\(text)")
        }
        #expect(AddressRange("::ffff:10.0.0.0/104") == nil || AddressRange("10.0.0.0/8") != nil)
    }

    @Test("a server answers for the hosts that it is given, and probes may use any")
    func hosts() async throws {
        try await TestServer.run({ $0.listen.hosts = ["Example.org"] }) { server in
            func status(_ host: String, _ path: String = "/hello/a") async throws -> Int? {
                try await server.exchange(
                    "GET \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n"
                ).status
            }
            for host in ["example.org", "EXAMPLE.ORG:8080", "example.org."] {
                let answer = try await status(host)
                #expect(answer == 200, "\(host)")
            }
            for host in ["localhost", "127.0.0.1", "www.example.org"] {
                let answer = try await status(host)
                #expect(answer == 421, "\(host)")
            }
            let probe = try await status("10.0.0.7:8080", "/healthz")
            #expect(probe == 200)
            let metrics = try await status("10.0.0.7:8080", "/metrics")
            #expect(metrics == 421)
            let absolute = try await server.exchange(
                "GET http://example.org/hello/a HTTP/1.1\r\nHost: example.org\r\n"
                    + "Connection: close\r\n\r\n")
            #expect(absolute.status == 200)
        }
    }

    @Test("a loopback server keeps the pages of other origins out")
    func rebinding() async throws {
        try await TestServer.run { server in
            for host in ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8080"] {
                let answer = try await server.exchange(
                    "GET /hello/a HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n")
                #expect(answer.status == 200, "\(host)")
            }
        }
    }

    @Test(
        "TLS takes a certificate, and a new one when the files change",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")))
    func certificates() async throws {
        let folder = try TemporaryDirectory()
        try Self.makeCertificate(folder, name: "one")
        let tls = ListenConfiguration.TLS(
            certificate: folder("certificate.pem"), key: folder("key.pem"))
        try await TestServer.run({ $0.listen.tls = tls }) { server in
            #expect(try await Self.subject(server.port).contains("one"))
            let plain = try await server.exchange("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(plain.statuses.isEmpty)
            try Self.makeCertificate(folder, name: "two")
            #expect(try await eventually { try await Self.subject(server.port).contains("two") })
            _ = try folder.write("certificate.pem", "nonsense")
            #expect(
                try await eventually { server.log.contains { $0.contains("stays as it was") } })
            #expect(try await Self.subject(server.port).contains("two"))
        }
        #expect(throws: ServingError.self) {
            var configuration = HTTPServer.Configuration()
            configuration.listen.tls = tls
            _ = try HTTPServer(configuration) { _ in }
        }
    }

    private static func makeCertificate(_ folder: TemporaryDirectory, name: String) throws {
        let outcome = try ChildProcess(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "2", "-subj", "/CN=\(name)", "-keyout", folder("new-key.pem"), "-out",
                folder("new-certificate.pem"),
            ]
        ).finish()
        #expect(outcome.status == 0, "\(outcome.error)")
        for file in ["key.pem", "certificate.pem"] {
            _ = try folder.write(file, try folder.text("new-\(file)"))
        }
    }

    /// What a client of TLS is told about the certificate.
    private static func subject(_ port: Int) async throws -> String {
        try await blocking {
            let outcome = try ChildProcess(
                "/usr/bin/openssl", ["s_client", "-connect", "127.0.0.1:\(port)"]
            ).finish()
            return outcome.lines.filter { $0.hasPrefix("subject=") }.joined()
        }
    }
}

@Suite("Lines of the log")
struct LineLogTests {
    @Test("are JSON or logfmt, with the same members", arguments: LineLogHandler.Form.allCases)
    func forms(form: LineLogHandler.Form) {
        let lines = Lines()
        var logger = Logger(label: "test") { _ in
            LineLogHandler(form: form, level: .info) {
                lines.add(String(decoding: $0, as: UTF8.self))
            }
        }
        logger[metadataKey: "id"] = "r1"
        logger.debug("not this")
        logger.warning(
            "two\nlines \u{1B}[1m",
            metadata: ["n": .stringConvertible(3), "t": "a \"b\"=c", "x": .array(["y"])])
        let line = lines.all.joined()
        let end =
            switch form {
            case .json:
                #"","level":"warning","message":"two\nlines \u001b[1m","id":"r1","n":3,"#
                    + #""t":"a \"b\"=c","x":["y"]}"#
            case .logfmt:
                #" level=warning message="two\nlines \u001b[1m" id=r1 n=3 t="a \"b\"=c" x=["y"]"#
            }
        #expect(line.hasSuffix(end + "\n"), "\(line)")
        #expect(line.utf8.count { $0 == 0x0A } == 1)
    }
}
