import Artifacts
import Foundation
import TestSupport
import Testing

@testable import ModelServices

@Suite("Streams of events")
struct EventStreamTests {
    /// The events of a stream that arrives in the given parts.
    private func events(_ parts: [[UInt8]], limit: Int = 1000) throws -> [String] {
        var stream = EventStream(limit: limit)
        var found: [String] = []
        func add(_ event: ServerEvent) {
            found.append("\(event.name): \(String(decoding: event.data, as: UTF8.self))")
        }
        for part in parts {
            #expect(
                try stream.feed(part) {
                    add($0)
                    return true
                })
        }
        if let last = try stream.finish() { add(last) }
        return found
    }

    @Test(
        "events are read in every spelling",
        arguments: [
            ("data: a\n\n", ["message: a"]), ("data:a\n\n", ["message: a"]),
            ("data:  a\n\n", ["message:  a"]), ("data: a\r\n\r\n", ["message: a"]),
            ("data: a\r\r", ["message: a"]),
            ("data: a\n\ndata: b\n\n", ["message: a", "message: b"]),
            ("data: a\ndata: b\n\n", ["message: a\nb"]), ("data: a\ndata\n\n", ["message: a\n"]),
            (": comment\n\ndata: a\n\n", ["message: a"]), ("event: e\ndata: a\n\n", ["e: a"]),
            ("event: e\n\ndata: a\n\n", ["message: a"]),
            ("id: 7\nretry: 5\nodd\ndata: a\n\n", ["message: a"]),
            ("\u{FEFF}data: a\n\n", ["message: a"]), ("data: a\n\n\n\n\n", ["message: a"]),
            ("data: a", ["message: a"]), ("data: a\n", ["message: a"]),
            ("data: a\r", ["message: a"]),
            ("data:\n\n", ["message: "]), ("", []), ("\n\n\n", []), ("datax: a\n\n", []),
            ("data: [DONE]\n\n", ["message: [DONE]"]), ("data: é\u{0}\n\n", ["message: é\u{0}"]),
        ])
    func spellings(text: String, expected: [String]) throws {
        let bytes = Array(text.utf8)
        #expect(try events([bytes]) == expected)
        #expect(try events(bytes.map { [$0] }) == expected, "byte by byte")
    }

    @Test("wherever a stream is split, its events are the same")
    func splits() throws {
        var random = SeededGenerator(seed: 15)
        let lines = [
            "data: a", "data:b", "data", "event: e", ": c", "", "", "id: 1", "data: é", "\u{FEFF}",
        ]
        let ends = ["\n", "\r\n", "\r"]
        for _ in 0..<500 {
            let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                lines.randomElement(using: &random)! + ends.randomElement(using: &random)!
            }.joined()
            let bytes = Array(text.utf8)
            var parts: [[UInt8]] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...4, using: &random)
                parts.append(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            #expect(try events(parts) == events([bytes]), "\(text.debugDescription)")
        }
    }

    @Test("a line or an event beyond the limit ends the stream")
    func bounds() throws {
        let line = Array(("data: " + String(repeating: "x", count: 94)).utf8)
        #expect(try events([line], limit: 100).count == 1)
        #expect(throws: EventStream.TooLong.self) { try events([line + [0x78]], limit: 100) }
        let many = Array(String(repeating: "data: xxxxxxxxx\n", count: 11).utf8)
        #expect(throws: EventStream.TooLong.self) { try events([many], limit: 100) }
        let comments = Array(String(repeating: ": nothing\n\n", count: 10_000).utf8)
        #expect(try events([comments], limit: 100).isEmpty)
    }
}

@Suite("Replies of language models")
struct ChatReplyReaderTests {
    private func read(
        _ text: String, status: Int = 200
    ) throws -> (reply: ChatReply, parts: [String]) {
        var reader = ChatReplyReader()
        var parts: [String] = []
        for byte in text.utf8
        where !reader.take([byte], status: status, part: { parts.append($0) }) { break }
        return (try reader.finish(status: status) { parts.append($0) }, parts)
    }

    private func chunk(_ text: String, _ finish: String = "null") -> String {
        #"data: {"choices":[{"index":0,"delta":{"content":"\#(text)"},"finish_reason":\#(finish)}]}"#
            + "\n\n"
    }

    @Test("a stream gives its parts, the ending and the numbers of tokens")
    func stream() throws {
        let usage = #"data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}"#
        let (reply, parts) = try read(
            chunk("Hel") + ": ping\n\n" + chunk("lo", "\"length\"") + usage
                + "\n\ndata: [DONE]\n\nrest")
        #expect(parts == ["Hel", "lo"])
        #expect(
            reply == ChatReply(text: "Hello", ending: .length, promptTokens: 7, replyTokens: 2))
    }

    @Test(
        "numbers of tokens that no model reads are left out",
        arguments: ["9007199254740992", "1099511627777", "-1", "1.5", "1e300", "\"7\"", "null"])
    func tokens(number: String) throws {
        let usage =
            #"data: {"choices":[],"usage":{"prompt_tokens":\#(number),"completion_tokens":2}}"#
        let (reply, _) = try read(chunk("a", "\"stop\"") + usage + "\n\n")
        #expect(reply == ChatReply(text: "a", replyTokens: 2))
    }

    @Test(
        "reasons to end are understood",
        arguments: [
            ("stop", ChatReply.Ending.stop), ("length", .length), ("max_tokens", .length),
            ("content_filter", .filtered), ("eos", .stop), ("tool_calls", .stop),
        ])
    func endings(reason: String, ending: ChatReply.Ending) throws {
        #expect(try read(chunk("a", "\"\(reason)\"")).reply.ending == ending)
    }

    @Test("reasoning, other choices and unknown members are no part of the text")
    func extras() throws {
        let reasoning =
            #"data: {"choices":[{"delta":{"reasoning_content":"hm","content":null}}],"x":{}}"#
        let other = #"data: {"choices":[{"index":1,"delta":{"content":"no"}}]}"#
        let parts = #"data: {"choices":[{"delta":{"content":[{"type":"text","text":"b"}]}}]}"#
        let (reply, _) = try read(
            [reasoning, other, parts, "data: {}"].joined(separator: "\n\n") + "\n\n"
                + chunk("a", "\"stop\""))
        #expect(reply.text == "ba")
    }

    @Test("a whole object is a reply too")
    func whole() throws {
        let (reply, parts) = try read(
            #" {"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1}}"#
        )
        #expect(reply == ChatReply(text: "Hi", promptTokens: 3, replyTokens: 1))
        #expect(parts == ["Hi"])
    }

    @Test(
        "errors in any place are explained",
        arguments: [
            (#"{"error":{"message":"WHY"}}"#, 200), (#"{"error":"WHY"}"#, 500),
            (#"data: {"error":{"message":"WHY","code":503}}"# + "\n\n", 200),
            (#"data: {"object":"error","message":"WHY"}"# + "\n\n", 200),
            (#"data: {"message":"WHY"}"# + "\n\n", 200),
            ("event: error\ndata: WHY\n\n", 200), (#"{"detail":"WHY"}"#, 404),
            ("<html><title>WHY</title></html>", 200), ("WHY", 200), ("WHY", 502),
        ])
    func errors(text: String, status: Int) throws {
        let error = try #require(throws: ChatReplyReader.Unusable.self) {
            try read(text, status: status)
        }
        guard case .refused(let said) = error else { throw error }
        #expect(said.text == "WHY")
    }

    @Test(
        "a stream that ends early, or never begins, is incomplete",
        arguments: [
            ": ping\n\n", "data: {}\n\n", #"data: {"choices":[{"delta":{"content":"a"}}]}"#,
        ])
    func incomplete(text: String) throws {
        let error = try #require(throws: ChatReplyReader.Unusable.self) { try read(text) }
        guard case .incomplete = error else { throw error }
    }

    @Test("replies without text, and garbage, are errors")
    func unusable() throws {
        for text in [
            "", "\n", chunk("", "\"stop\""), chunk("", "\"content_filter\""), "data: [DONE]\n\n",
            "data: nothing\n\n", "data: [1]\n\n", #"{"choices":[]}"#,
        ] {
            #expect(throws: ChatReplyReader.Unusable.self, "\(text)") { try read(text) }
        }
    }
}
