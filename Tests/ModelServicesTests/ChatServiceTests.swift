import Artifacts
import Foundation
import Objects
import Storage
import Synchronization
import TestSupport
import Testing

@testable import ModelServices

/// A language model behind the stand-in service.
private struct Bench {
    let standIn: StandInGenerator
    let chat: ChatService

    init(
        _ faults: String = "{}", key: String? = nil, timeout: Int = 60, retries: Int = 4,
        query: String = "", meter: TokenMeter? = nil,
        pause: @escaping @Sendable (Int) -> Void = { _ in },
        limits: (inout ChatService.Limits) -> Void = { _ in }
    ) throws {
        standIn = try StandInGenerator()
        try standIn.behave(faults)
        var endpoint = ServiceEndpoint(
            try ServiceAddress(standIn.url + query, of: .chat), key: key.flatMap { ServiceKey($0) },
            pause: pause)
        endpoint.timeout = timeout
        endpoint.retries = retries
        var all = ChatService.Limits()
        limits(&all)
        chat = ChatService(standIn.model, at: endpoint, limits: all, meter: meter)
    }

    static func request(_ text: String, tokens: Int? = nil) -> ChatRequest {
        ChatRequest([ChatMessage(.user, text)], tokenLimit: tokens, temperature: 0)
    }

    func reply(
        _ text: String = "ECHO Drill 6 mm holes in brick.", tokens: Int? = nil,
        by deadline: Deadline = Deadline(after: .seconds(120)), part: (String) -> Void = { _ in }
    ) throws -> ChatReply {
        try chat.reply(to: Self.request(text, tokens: tokens), by: deadline, part: part)
    }

    func failure(
        by deadline: Deadline = Deadline(after: .seconds(120)), part: (String) -> Void = { _ in }
    ) throws -> GenerationError {
        try #require(throws: GenerationError.self) { try reply(by: deadline, part: part) }
    }
}

@Suite("Language models behind a service")
struct ChatServiceTests {
    private static let text = "Drill 6 mm holes in brick."

    @Test("a reply streams, and the request has what the caller wants")
    func streams() throws {
        let bench = try Bench()
        var parts: [String] = []
        let reply = try bench.reply(tokens: 50) { parts.append($0) }
        #expect(reply == ChatReply(text: Self.text, promptTokens: 7, replyTokens: 6))
        #expect(parts.count > 3 && parts.joined() == Self.text)
        let request = try bench.standIn.lastRequest()
        #expect(request["model"] as? String == "stand-in")
        #expect(request["max_tokens"] as? Int == 50 && request["temperature"] as? Double == 0)
        #expect(request["stream"] as? Bool == true)
        #expect(try bench.reply(tokens: 2).ending == .length)
        #expect(try bench.standIn.count("requests") == 2)
    }

    @Test("an endpoint that does not stream is good enough, and so is one that counts no tokens")
    func whole() throws {
        let bench = try Bench(#"{"stream": false, "usage": false}"#)
        var parts: [String] = []
        #expect(try bench.reply { parts.append($0) } == ChatReply(text: Self.text))
        #expect(parts == [Self.text])
    }

    @Test("members that an endpoint refuses are left out from then on")
    func dialects() throws {
        let bench = try Bench(#"{"strict": ["stream_options", "max_tokens"]}"#)
        #expect(try bench.reply(tokens: 9).text == Self.text)
        #expect(try bench.standIn.count("requests") == 3)
        #expect(try bench.reply(tokens: 9).text == Self.text)
        #expect(try bench.standIn.count("requests") == 4)
        let request = try bench.standIn.lastRequest()
        #expect(request["stream_options"] == nil && request["max_tokens"] == nil)
        #expect(request["max_completion_tokens"] as? Int == 9)
        // Once requests of this form succeed, an error is about something else.
        try bench.standIn.behave(#"{"mode": "refuse", "status": 400}"#)
        _ = try bench.failure()
        #expect(try bench.standIn.count("requests") == 5)
    }

    @Test(
        "errors of any form are explained in words, without the key",
        arguments: [
            #"{"error": {"message": "WHY hush-hush-key", "type": "x"}}"#,
            #"{"error": "WHY hush-hush-key"}"#,
            #"{"detail": "WHY hush-hush-key"}"#, #"{"message": "WHY hush-hush-key"}"#,
            #""WHY hush-hush-key""#, #""<html><title>WHY hush-hush-key</title></html>""#,
        ])
    func forms(body: String) throws {
        for (fault, status) in [
            (#""mode": "refuse", "status": 400"#, " (status 400)"),
            (#""mode": "say""#, ""), (#""mode": "error-event", "after": 0"#, ""),
        ] {
            let bench = try Bench("{\(fault), \"body\": \(body)}", key: "hush-hush-key")
            let error = try bench.failure()
            #expect(error.message.contains("WHY ***"), "\(error.message)")
            #expect(status.isEmpty || error.message.contains(status))
            #expect(error.remedy != nil)
            #expect(error.message.hasPrefix("the language model at http://127.0.0.1:"))
            let counts = try bench.standIn.counts()
            #expect(counts["authorization"] as? String == "Bearer hush-hush-key")
        }
    }

    @Test(
        "each status has its own words",
        arguments: [
            (401, "refuses the key", "generator.key"), (404, "does not have the model", "url"),
            (413, "too large", "budget.context"), (429, "too many requests", "later"),
            (500, "fails", "again"), (503, "fails", "again"), (307, "redirect", "url"),
        ])
    func statuses(status: Int, words: String, remedy: String) throws {
        let bench = try Bench(
            #"{"mode": "refuse", "status": \#(status)}"#, key: "hush-hush-key", retries: 1)
        let error = try bench.failure()
        #expect(error.message.contains(words), "\(error.message)")
        #expect(try #require(error.remedy).contains(remedy))
        let isRepeated = status == 429 || status >= 500
        #expect(try bench.standIn.count("requests") == (isRepeated ? 2 : 1))
    }

    @Test("the log and the public get the status, not the endpoint's own words")
    func words() throws {
        for status in [429, 500] {
            let bench = try Bench(
                #"{"mode": "refuse", "status": \#(status), "retryAfter": 7, "body": {"error": "WHY"}}"#,
                retries: 0)
            let error = try bench.failure()
            #expect(error.message == "\(error.logMessage): WHY")
            #expect(error.logMessage.contains("(status \(status))"))
            #expect(error.logMessage.contains("127.0.0.1"))
            #expect(error.publicMessage.contains("(status \(status))"))
            #expect(!error.publicMessage.contains("127.0.0.1"))
            guard case .limited(_, let seconds, _) = error else {
                #expect(status == 500)
                continue
            }
            #expect(status == 429 && seconds == 7)
        }
    }

    @Test("a busy endpoint is asked again, after the time that it wants")
    func retries() throws {
        let waits = Mutex<[Int]>([])
        let bench = try Bench(
            #"{"mode": "refuse", "status": 429, "retryAfter": 7, "first": 2}"#,
            pause: { milliseconds in waits.withLock { $0.append(milliseconds) } })
        #expect(try bench.reply().text == Self.text)
        #expect(try bench.standIn.count("requests") == 3)
        let waited = waits.withLock { $0.reduce(0, +) }
        #expect(14_000...16_000 ~= waited, "\(waited)")
    }

    @Test("a wait that is longer than the deadline is not waited")
    func hopeless() throws {
        let waits = Mutex(0)
        let bench = try Bench(
            #"{"mode": "refuse", "status": 503, "retryAfter": 50}"#,
            pause: { _ in waits.withLock { $0 += 1 } })
        #expect(try bench.failure(by: Deadline(after: .seconds(30))).message.contains("503"))
        #expect(waits.withLock { $0 } == 0)
        #expect(try bench.standIn.count("requests") == 1)
    }

    @Test(
        "an answer that is lost before its first word is asked for again",
        arguments: [
            #""mode": "close""#, #""mode": "cut", "after": 0"#, #""mode": "end", "after": 0"#,
            #""mode": "error-event", "after": 0, "body": {"error": {"message": "x", "code": 503}}"#,
            #""mode": "say", "body": {"error": {"message": "x", "code": 500}}"#,
        ])
    func lostEarly(fault: String) throws {
        let bench = try Bench("{\(fault), \"first\": 1}")
        #expect(try bench.reply().text == Self.text)
        #expect(try bench.standIn.count("requests") == 2)
    }

    @Test(
        "an answer that is cut after its first word fails, and nothing is said twice",
        arguments: ["cut", "end", "error-event"])
    func lostLate(mode: String) throws {
        let bench = try Bench(
            #"{"mode": "\#(mode)", "body": {"error": {"message": "x", "code": 503}}}"#)
        var parts: [String] = []
        let error = try bench.failure { parts.append($0) }
        #expect(parts == ["Drill", " 6"])
        guard case .service = error else { throw error }
        #expect(try bench.standIn.count("requests") == 1)
    }

    @Test("silence ends a request, before and in the middle of an answer")
    func silence() throws {
        for mode in ["hang", "hang-headers", "hang-middle"] {
            let bench = try Bench(#"{"mode": "\#(mode)"}"#, retries: 0, limits: { $0.silence = 1 })
            let error = try bench.failure()
            #expect(error.message.contains("sent nothing for 1 s"), "\(error.message)")
            try bench.standIn.wait(for: "cancelled", toBe: 1)
        }
        // A slow answer is not silent.
        let slow = try Bench(#"{"mode": "drip", "seconds": 0.4}"#, limits: { $0.silence = 1 })
        #expect(try slow.reply().text == Self.text)
    }

    @Test("a deadline, a time-out and a cancellation reach the endpoint")
    func deadlines() throws {
        let late = try Bench(#"{"mode": "hang"}"#)
        #expect(
            try late.failure(by: Deadline(after: .milliseconds(300)))
                == .late(name: late.standIn.url + "/chat/completions"))
        try late.standIn.wait(for: "cancelled", toBe: 1)
        let slow = try Bench(#"{"mode": "drip", "seconds": 3}"#, timeout: 1)
        #expect(
            try slow.failure() == .late(name: slow.standIn.url + "/chat/completions"))
        let left = try Bench(#"{"mode": "hang-middle"}"#)
        let deadline = Deadline(after: .seconds(120))
        #expect(
            try left.failure(by: deadline) { if $0 == " 6" { deadline.cancel() } } == .cancelled)
        try left.standIn.wait(for: "cancelled", toBe: 1)
    }

    @Test("an endless answer is cut", arguments: ["endless", "endless-event"])
    func endless(mode: String) throws {
        let bench = try Bench(#"{"mode": "\#(mode)"}"#)
        let error = try #require(throws: GenerationError.self) { try bench.reply(tokens: 256) }
        #expect(error.message.contains("more than"), "\(error.message)")
        try bench.standIn.wait(for: "cancelled", toBe: 1)
        #expect(try bench.standIn.count("sentBytes") < 64 << 20)
    }

    @Test(
        "answers without an answer are errors",
        arguments: ["garbage", "empty", "no-choices"])
    func useless(mode: String) throws {
        let bench = try Bench(#"{"mode": "\#(mode)"}"#)
        let error = try bench.failure()
        guard case .service = error else { throw error }
        #expect(try bench.standIn.count("requests") == 1)
    }

    @Test("nobody listening, and another model, are told apart")
    func unreachable() throws {
        var endpoint = ServiceEndpoint(try ServiceAddress("http://127.0.0.1:1/v1", of: .chat))
        endpoint.retries = 0
        let nobody = ChatService("m", at: endpoint)
        let error = try #require(throws: GenerationError.self) {
            try nobody.reply(to: Bench.request("x"), by: Deadline(after: .seconds(60))) { _ in }
        }
        #expect(error.message.contains("could not be reached"))
        let standIn = try StandInGenerator()
        let other = ChatService(
            "other", at: ServiceEndpoint(try ServiceAddress(standIn.url, of: .chat)))
        let wrong = try #require(throws: GenerationError.self) {
            try other.reply(to: Bench.request("x"), by: Deadline(after: .seconds(60))) { _ in }
        }
        #expect(wrong.message.contains("The model other does not exist"))
        #expect(
            try ChatService.models(
                at: ServiceEndpoint(try ServiceAddress(standIn.url, of: .chat)),
                by: Deadline(after: .seconds(60))) == ["stand-in"])
    }

    @Test("no more requests run at once than are allowed; the others wait, or are refused in time")
    func atOnce() throws {
        let bench = try Bench(#"{"mode": "drip", "seconds": 0.02}"#, limits: { $0.atOnce = 2 })
        let (chat, standIn) = (bench.chat, bench.standIn)
        let replies = resultsOnThreads(8) { _ in
            try chat.reply(
                to: Bench.request("ECHO a b c"), by: Deadline(after: .seconds(120))
            ) { _ in }.text
        }
        #expect(try replies.map { try $0.get() } == Array(repeating: "a b c", count: 8))
        #expect(try bench.standIn.count("mostAtOnce") == 2)
        try bench.standIn.behave(#"{"mode": "hang"}"#)
        let deadline = Deadline(after: .seconds(120))
        let results: [Result<String, any Error>] = resultsOnThreads(3) { thread in
            guard thread == 2 else {
                return try chat.reply(to: Bench.request("x"), by: deadline) { _ in }.text
            }
            try standIn.wait(for: "now", toBe: 2)
            defer { deadline.cancel() }
            let soon = Deadline(after: .milliseconds(100))
            return try chat.reply(to: Bench.request("x"), by: soon) { _ in }.text
        }
        let errors = results.map { result -> GenerationError? in
            if case .failure(let error) = result { error as? GenerationError } else { nil }
        }
        let name = bench.standIn.url + "/chat/completions"
        #expect(errors == [.cancelled, .cancelled, .busy(name: name, atOnce: 2)])
    }

    @Test("a budget counts the endpoint's tokens, or estimates them, and renews")
    func budget() throws {
        let clock = Mutex(ContinuousClock.now)
        let meter = TokenMeter(TokenBudget(tokens: 20, per: .hour)) { clock.withLock { $0 } }
        let bench = try Bench(meter: meter)
        _ = try bench.reply()
        _ = try bench.reply()
        clock.withLock { $0 += .seconds(1000) }
        guard case .spent(_, 20, let seconds) = try bench.failure() else {
            Issue.record("13 tokens twice are more than 20")
            return
        }
        #expect(2590...2610 ~= seconds)
        #expect(try bench.standIn.count("requests") == 2)
        clock.withLock { $0 += .seconds(2601) }
        try bench.standIn.behave(#"{"usage": false}"#)
        _ = try bench.reply()
        #expect(meter.refusal() == nil)
        _ = try bench.reply()
        #expect(meter.refusal()?.tokens == 20)
    }
}

@Suite("Canaries of a real endpoint")
struct ServedCanaryTests {
    @Test("an engine that answers otherwise under the same name is found out")
    func changed() throws {
        let standIn = try StandInGenerator()
        let chat = ChatService(
            standIn.model, at: ServiceEndpoint(try ServiceAddress(standIn.url, of: .chat)))
        let deadline = Deadline(after: .seconds(300))
        let canary = try Canary.record(from: chat, by: deadline)
        #expect(canary.items.count == Canary.usualCount && canary.model == "stand-in")
        #expect(try canary.check(chat, by: deadline) == .same)
        try standIn.behave(#"{"name": "another"}"#)
        guard case .differs(let difference) = try canary.check(chat, by: deadline) else {
            Issue.record("another model answers otherwise")
            return
        }
        #expect(difference.item == 1)
        try standIn.behave(#"{"mode": "refuse", "status": 401}"#)
        #expect(throws: GenerationError.self) { try canary.check(chat, by: deadline) }
    }
}
