import Artifacts
import CommandSupport
import InferencePipeline
import ModelServices
import Objects
import Refs
import Serving
import Storage
import YAML

/// What a configuration means in this process: its environment, its folders, its name.
extension ServeConfiguration {
    /// What clients call the served versions: the ref of the release or the model.
    var servedName: String {
        switch selection {
        case .release(let name): name
        case .revisions(_, let model): model
        case .pinned(let lock, _):
            lock.pin(of: .release)?.revision ?? lock.pin(of: .model)?.revision ?? "pinned"
        }
    }

    /// What writes answers.
    ///
    /// - Throws: ``ServiceKeyError`` when the key cannot be used.
    func engine() throws -> Engine {
        guard case .service(let chat) = generator else { return .extractive }
        let key = try chat.keyVariable.map {
            try ServiceKey(setting: "generator.key", naming: $0, Environment.variable)
        }
        var endpoint = ServiceEndpoint(chat.address, key: key)
        endpoint.timeout = chat.timeout
        endpoint.retries = chat.retries
        var limits = ChatService.Limits()
        limits.atOnce = chat.atOnce
        limits.silence = min(limits.silence, chat.timeout)
        limits.budget = chat.budget
        return .model(
            ChatService(chat.model, at: endpoint, limits: limits), temperature: chat.temperature,
            canaryTimeout: .seconds(max(300, 4 * chat.timeout)))
    }

    /// How this process names itself: by the configuration, or by its host and process.
    ///
    /// - Throws: `usage` for a name that cannot be shown.
    func replicaIdentity() throws -> Replica {
        let name = replica ?? Environment.processName
        // A port that the system chooses is not known yet.
        let address = listen.port == 0 ? nil : "\(listen.address):\(listen.port)"
        guard let identity = Replica(name: name, follows: followed, address: address)
        else {
            throw CommandError.usage(
                "replica must be printable text of at most \(Replica.textLimit) bytes")
        }
        return identity
    }

    private var followed: String {
        switch selection {
        case .release(let name): name
        case .revisions(let features, let model): "\(features) \(model)"
        case .pinned(_, let path): path
        }
    }

    /// Where answers are kept.
    func medium(of replica: String) throws -> AnswerStore.Medium {
        switch answers {
        case .keep(let count): .memory(count: count)
        case .files(let folder):
            .files(
                try DailyLines(
                    in: folder, prefix: DailyLines.prefix(resembling: replica), isSynced: false))
        }
    }

    /// Where feedback goes; nil where none is accepted.
    func feedbackLines(of replica: String) throws -> DailyLines? {
        try feedback.map {
            try DailyLines(in: $0, prefix: DailyLines.prefix(resembling: replica), isSynced: true)
        }
    }
}

extension ServeConfiguration {
    mutating func readLimits(_ inner: inout YAMLMapping) throws {
        let counts: [(String, WritableKeyPath<ServerLimits, Int>, ClosedRange<Int>)] = [
            ("headerBytes", \.headerBytes, 256...1 << 20), ("headers", \.headers, 4...10_000),
            ("targetBytes", \.targetBytes, 64...1 << 20),
            ("bodyBytes", \.bodyBytes, 1024...1 << 30),
            ("bodyBytesInAll", \.bodyBytesInAll, 65_536...1 << 40),
            ("bodyRate", \.bodyRate, 1...1 << 30),
            ("connections", \.connections, 1...1_000_000),
            ("connectionsPerAddress", \.connectionsPerAddress, 1...1_000_000),
            ("requests", \.requests, 1...1_000_000), ("queue", \.queue, 0...1_000_000),
        ]
        for (key, path, range) in counts {
            if let value = try inner.integer(key, in: range) { limits[keyPath: path] = value }
        }
        let times: [(String, WritableKeyPath<ServerLimits, Duration>)] = [
            ("headerTime", \.headerTime), ("bodyTime", \.bodyTime), ("idleTime", \.idleTime),
            ("stallTime", \.stallTime), ("requestTime", \.requestTime),
        ]
        for (key, path) in times {
            if let value = try inner.duration(key, in: .milliseconds(10) ... .seconds(86_400)) {
                limits[keyPath: path] = value
            }
        }
        announceTime = try inner.duration("announce", in: .zero ... .seconds(3600))
        try inner.finish(known: counts.map(\.0) + times.map(\.0) + ["announce"])
    }
}
