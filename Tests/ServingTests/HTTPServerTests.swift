import Hummingbird
import Objects
import Serving
import NIOCore
import TestSupport
import Testing

@Suite("A server")
struct HTTPServerTests {
    @Test("answers routes, HEAD wherever GET is, and errors in OpenAI's form")
    func routes() async throws {
        try await TestServer.run { server in
            let hello = try await server.get("/hello/releases%2Fprod")
            #expect(hello.status == 200)
            #expect(hello.json?["hello"]?.string == "releases/prod")
            #expect(hello.header("x-content-type-options") == "nosniff")
            #expect(hello.header("cache-control") == "no-store")
            #expect(hello.header("x-request-id")?.hasPrefix("req-") == true)

            let head = try await server.get("/hello/a", method: "HEAD")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
            #expect(head.header("content-length") == "14")

            let stream = try await server.get("/events", method: "HEAD")
            #expect(stream.status == 200)
            #expect(stream.body.isEmpty)
            #expect(stream.header("content-length") == nil)

            let unknown = try await server.get("/nowhere")
            #expect(unknown.status == 404)
            #expect(unknown.json?["error"]?["type"]?.string == "invalid_request_error")
            #expect(unknown.json?["error"]?["param"] == .null)
            #expect(unknown.json?["error"]?["message"]?.string == "there is no such path")

            let wrong = try await server.get("/json")
            #expect(wrong.status == 405)
            #expect(wrong.header("allow") == "POST")
        }
    }

    @Test("a base URL without its version gets the path with it; every 503 says when to try again")
    func hints() async throws {
        try await TestServer.run(
            routes: { router in
                router.post("v1/answers") { _, _ in Response.json([:]) }
                router.get("broken") { _, _ -> Response in
                    throw HTTPFailure(.serviceUnavailable, "the index is damaged", code: "damaged")
                }
            }
        ) { server in
            let path = try await server.get("/answers", method: "POST")
            #expect(path.status == 404)
            let message = path.json?["error"]?["message"]?.string
            #expect(message?.hasSuffix("did you mean /v1/answers?") == true)
            let broken = try await server.get("/broken")
            #expect(broken.status == 503 && broken.header("retry-after") == "5")
        }
    }

    @Test("an app can give an error a form of its own; it is mapped and logged like any other")
    func formattedErrors() async throws {
        struct Unforeseen: Error {}
        @Sendable func page(_ failure: HTTPFailure) -> Response {
            Response(
                status: failure.status, headers: [.contentType: "text/html"],
                body: .init(byteBuffer: .init(string: "<p>\(failure.message)</p>")))
        }
        try await TestServer.run(
            { $0.redact = { $0.replacing("secret", with: "***") } },
            routes: { router in
                router.get("page") { _, _ -> Response in
                    let cause = HTTPFailure(.conflict, "a secret", code: "conflict")
                    throw FormattedFailure(cause, response: page)
                }
                router.get("broken") { _, _ -> Response in
                    throw FormattedFailure(Unforeseen(), response: page)
                }
            }
        ) { server in
            let refused = try await server.get("/page")
            #expect(refused.status == 409)
            #expect(refused.header("content-type") == "text/html")
            #expect(refused.body == "<p>a ***</p>")
            #expect(refused.header("x-content-type-options") == "nosniff")
            let broken = try await server.get("/broken")
            #expect(broken.status == 500)
            #expect(broken.body.hasPrefix("<p>the server failed"))
            #expect(try await eventually { server.log.joined().contains("Unforeseen") })
        }
    }

    @Test("reads JSON bodies strictly")
    func bodies() async throws {
        try await TestServer.run({ $0.limits.bodyBytes = 100 }) { server in
            let good = try await server.post("/json", "{\"a\": 1}")
            #expect(good.body == "{\"a\":1}\n")
            let cut = try await server.post("/json", "{")
            #expect(cut.errorCode == "invalid_json")
            let long = "[\"" + String(repeating: "a", count: 200) + "\"]"
            let large = try await server.post("/json", long)
            #expect(large.status == 413)
            let chunked =
                "POST /json HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
            let body = "cc\r\n\(long)\r\n0\r\n\r\n"
            let tooLong = try await server.exchange(chunked + body)
            #expect(tooLong.status == 413)
            let text = "POST /json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            let untyped = try await server.exchange(text + "Content-Length: 2\r\n\r\n{}")
            #expect(untyped.status == 415)
        }
    }

    @Test("keeps a connection open, and answers pipelined requests in order")
    func pipelining() async throws {
        try await TestServer.run { server in
            let one = "GET /hello/a HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let two = "GET /hello/b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            let both = try await server.exchange(one + two)
            #expect(both.statuses == [200, 200])
            let a = try #require(both.text.firstRange(of: "\"a\""))
            let b = try #require(both.text.firstRange(of: "\"b\""))
            #expect(a.lowerBound < b.lowerBound)
        }
    }

    @Test("streams events, and says so when a stream ends with an error")
    func events() async throws {
        try await TestServer.run { server in
            let events = try await server.get("/events")
            #expect(events.header("content-type") == "text/event-stream")
            #expect(events.body.contains("data: {\"n\":2}\n\n"))
            #expect(events.body.contains("data: [DONE]\n\n"))
        }
    }
}
