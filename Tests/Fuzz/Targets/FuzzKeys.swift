@testable internal import Objects
@testable internal import Refs

/// Keys that are the same in every run, and states of a repository whose policy lists them.
enum FuzzKeys {
    static let digits = String(repeating: "a", count: 64)
    static let repository = RandomBits(from: { 0x1111_1111_1111_1111 })

    /// An admin, a key that may move features, a key that may only approve, and a stranger.
    static let keys: [SecretKey] = ["ada", "feature-bot", "carol", "mallory"].enumerated()
        .compactMap { index, name in
            try? SecretKey(name: name, seed: [UInt8](repeating: UInt8(index + 1), count: 32))
        }

    static func policy(gates: [Gate]) -> AccessPolicy {
        guard
            let policy = try? AccessPolicy(
                isSigned: true,
                keys: [
                    AccessPolicy.Key(name: "ada", publicKey: keys[0].publicKey, isAdmin: true),
                    AccessPolicy.Key(
                        name: "feature-bot", publicKey: keys[1].publicKey, namespaces: [.features]),
                    AccessPolicy.Key(name: "carol", publicKey: keys[2].publicKey),
                ], gates: gates)
        else { preconditionFailure("the policy of the fuzz targets is valid") }
        return policy
    }

    /// The ref whose moves need approval.
    static let approved = try? RefName("features/prod")

    /// The state after entry 0.
    static let state: State = {
        guard let start = Timestamp(milliseconds: 0),
            let state = try? State(
                first: LogEntry(
                    number: 0, previous: nil, base: nil, time: start, writer: "", message: "",
                    nonce: repository,
                    actions: [.format(version: State.formatVersion, repository: repository)]))
        else { preconditionFailure("a log begins with a format") }
        return state
    }()

    /// A state in which everything must be signed; `features/prod` moves with one approval.
    static let signedState: State = {
        var state = Self.state
        guard let approved, let id = ObjectID(hex: digits) else { return state }
        let gate = Gate(refs: RefPattern(approved), condition: .approvals(count: 1, keys: nil))
        state.accessPolicy = policy(gates: [gate])
        state.rootKey = keys[0].publicKey
        state.signedSince = 0
        state.listedKeys = Set(keys.prefix(3).map(\.publicKey))
        state.refs[approved] = RefState(target: id, transaction: 0, time: state.time)
        return state
    }()
}
