public import Objects

/// Evaluates the gates that apply to moves, in the state that the moves are committed on.
package struct GateEvaluation<Source: ObjectRangeSource> {
    let state: State
    let changes: [RefChange]
    let objects: Source
    /// The time of the transaction.
    let time: Timestamp
    /// Approvals in ``state`` that have expired according to a clock other than the writer's.
    let lapsed: Set<Approval>
    /// Whether an object was stored before the transaction: a remedy cannot name an object that only the transaction
    /// stores.
    let isStored: (ObjectID) -> Bool
    /// The new targets of moved refs.
    private let targets: [RefName: ObjectID?]
    /// The refs of each namespace that a remedy may name, in order.
    private var namesToSuggest: [RefNamespace: [RefName]] = [:]
    package var ancestry: Ancestry<Source>

    package init(
        _ changes: [RefChange], in state: State, objects: Source, time: Timestamp,
        lapsed: Set<Approval> = [],
        isStored: @escaping (ObjectID) -> Bool = { _ in true }
    ) {
        self.changes = changes
        self.state = state
        self.objects = objects
        self.time = time
        self.lapsed = lapsed
        self.isStored = isStored
        targets = Dictionary(changes.map { ($0.name, $0.new) }) { first, _ in first }
        ancestry = Ancestry(in: objects)
    }

    /// A gate and the snapshot that it judges.
    private struct Question {
        let gate: Gate
        /// Whether it is the ``Gate/standing`` gate, which passes where a space is neither declared nor needed.
        let isStanding: Bool
        /// The ref that the gate applies to.
        let subject: RefName
        /// The target of the subject after the moves; nil when it is deleted.
        let target: ObjectID?
        /// The ref that moves: the subject, or the ref that the gate compares it with.
        let moved: RefChange
    }

    /// Evaluates every gate that applies to the moves.
    ///
    /// - Throws: `objects` when objects cannot be read.
    package mutating func outcomes() throws(RefError) -> [GateOutcome] {
        var outcomes: [GateOutcome] = []
        for question in Self.questions(changes, in: state) {
            let answer = try answer(question)
            outcomes.append(
                GateOutcome(
                    gate: question.gate, ref: question.moved.name, target: question.moved.new,
                    passes: answer.passes, demanded: answer.demanded, found: answer.found,
                    remedy: answer.passes ? nil : answer.remedy))
        }
        return outcomes
    }

    /// Whether any gate applies to moves.
    package static func concerns(_ changes: [RefChange], in state: State) -> Bool {
        !questions(changes, in: state).isEmpty
    }

    private static func questions(_ changes: [RefChange], in state: State) -> [Question] {
        guard !changes.isEmpty else { return [] }
        var questions: [Question] = []
        let byName = Dictionary(changes.map { ($0.name, $0) }) { first, _ in first }
        lazy var refs = state.refs.sorted { $0.key < $1.key }
        for (gate, isStanding) in Gate.all(in: state.accessPolicy) {
            for change in changes where gate.refs.matches(change.name) {
                guard change.new != nil || gate.condition.isAnsweredByLog else { continue }
                questions.append(
                    Question(
                        gate: gate, isStanding: isStanding, subject: change.name,
                        target: change.new, moved: change))
            }
            // A move of the other side of a comparison can break it as well.
            guard case .space(let other) = gate.condition,
                let moved = byName[other],
                moved.new != nil || !isStanding
            else { continue }
            let subjects =
                if let only = gate.refs.only {
                    state.refs[only].map { [(key: only, value: $0)] } ?? []
                } else {
                    refs
                }
            for (subject, ref) in subjects
            where gate.refs.matches(subject) && byName[subject] == nil {
                questions.append(
                    Question(
                        gate: gate, isStanding: isStanding, subject: subject, target: ref.target,
                        moved: moved))
            }
        }
        return questions
    }

    /// The maximum number of refs that are searched for one that a remedy can name.
    static var searchLimit: Int { 64 }

    /// The target of a ref after the moves.
    func target(of name: RefName) -> ObjectID? {
        targets[name] ?? state.target(of: name)
    }

    /// The first refs of a namespace, as candidates for remedies.
    mutating func namesToSuggest(_ namespace: RefNamespace) -> [RefName] {
        if let names = namesToSuggest[namespace] { return names }
        let names = Array(
            state.refs.keys.filter { $0.namespace == namespace }.sorted().prefix(
                Self.searchLimit + 1))
        namesToSuggest[namespace] = names
        return names
    }

    /// The name of a snapshot in a remedy: its id, or `REV` when it is not stored yet.
    func revision(_ id: ObjectID) -> String { isStored(id) ? id.short : "REV" }

    private mutating func answer(_ question: Question) throws(RefError) -> GateAnswer {
        let ref = question.subject
        guard let target = question.target else { return answerToRemoval(question) }
        switch question.gate.condition {
        case .metric(let name, let atLeast, let atMost):
            return try metric(name, atLeast, atMost, of: target, for: ref)
        case .input(let roles, let other):
            return try input(roles, of: target, for: ref, isAncestorOf: other)
        case .space(let other):
            return try space(
                of: target, for: ref, with: other, moved: question.moved,
                isLenient: question.isStanding)
        case .evidence(let facts): return try evidence(facts, of: target, for: ref)
        case .formats(let formats): return try self.formats(formats, of: target, for: ref)
        case .approvals(let count, let keys): return approvals(count, keys, of: target, for: ref)
        case .fixed: return fixed(question.moved)
        }
    }

    private func answerToRemoval(_ question: Question) -> GateAnswer {
        switch question.gate.condition {
        case .approvals(let count, let keys):
            approvals(count, keys, of: nil, for: question.subject)
        case .fixed: fixed(question.moved)
        case .metric, .input, .space, .evidence, .formats:
            GateAnswer(
                passes: true, demanded: "nothing of a deletion", found: "this is a deletion")
        }
    }
}

/// The answer of a gate about one snapshot; its members are those of ``GateOutcome``.
struct GateAnswer {
    let passes: Bool
    let demanded: String
    let found: String
    var remedy: String?
}

extension Gate.Condition {
    /// Whether the log alone answers the gate. Such a gate also applies to deletions, where the others would have no
    /// snapshot to judge.
    var isAnsweredByLog: Bool {
        switch self {
        case .approvals, .fixed: true
        case .metric, .input, .space, .evidence, .formats: false
        }
    }
}

extension Gate {
    /// The gate that holds unless an access policy has a `space` gate for the same refs: `models/current` and
    /// `features/prod` have one embedding space, where both declare or need one.
    static let standing: Gate? = {
        guard let model = try? RefName("models/current"),
            let features = try? RefName("features/prod")
        else { return nil }
        return Gate(refs: RefPattern(model), condition: .space(with: features))
    }()

    /// The gates that hold under an access policy, with a flag that marks the ``standing`` one.
    static func all(in accessPolicy: AccessPolicy?) -> [(gate: Gate, isStanding: Bool)] {
        let own = accessPolicy?.gates ?? []
        let gates = own.map { ($0, false) }
        guard let standing, let subject = standing.refs.only,
            case .space(let other) = standing.condition
        else { return gates }
        let isReplaced = own.contains { gate in
            guard case .space(let partner) = gate.condition else { return false }
            return partner == other && gate.refs.matches(subject)
                || partner == subject && gate.refs.matches(other)
        }
        return isReplaced ? gates : gates + [(standing, true)]
    }
}

/// The outcome of a gate for one move.
public struct GateOutcome: Hashable, Sendable {
    /// The gate that was evaluated.
    public let gate: Gate
    /// The ref that moves.
    public let ref: RefName
    /// Its new target; nil when it is deleted.
    public let target: ObjectID?
    /// Whether the gate lets the move pass.
    public let passes: Bool
    /// The demand of the gate, as a noun phrase: `recall@10 of at least 0.8`.
    public let demanded: String
    /// The fact that the gate found, as a statement: `it has 0.75`.
    public let found: String
    /// The step that would satisfy the gate, a command line where one exists; nil when the gate passes.
    public let remedy: String?

    /// The outcome on one line, as an override records it. `verify` compares these texts, so their words are part of the
    /// format of the log.
    public var summary: String {
        "\(gate.condition.type) of \(gate.refs): \(demanded), and \(found)"
    }

    /// The outcome as JSON, for results and reports.
    public var json: JSON {
        [
            "gate": .string(gate.condition.type), "of": .string(gate.refs.description),
            "ref": .string(ref.text), "id": target.map { .string($0.hex) } ?? .null,
            "passes": .bool(passes),
            "demanded": .string(demanded), "found": .string(found),
            "remedy": remedy.map { .string($0) } ?? .null,
        ]
    }
}

extension [GateOutcome] {
    /// The message about refusals, one line for each.
    var refusal: String {
        let lines = map { outcome in
            let other = outcome.gate.refs.matches(outcome.ref) ? "" : " of \(outcome.gate.refs)"
            let move = outcome.target.map { "cannot move to \($0.short)" } ?? "cannot be deleted"
            return
                "\(outcome.ref) \(move): the \(outcome.gate.condition.type) "
                + "gate\(other) demands \(outcome.demanded), and \(outcome.found)"
        }
        return lines.joined(separator: "\n")
    }

    /// The distinct remedies in one line; nil when there are none.
    var remedy: String? {
        var remedies: [String] = []
        var known: Set<String> = []
        for case let remedy? in map(\.remedy) where known.insert(remedy).inserted {
            remedies.append(remedy)
        }
        return remedies.isEmpty ? nil : remedies.joined(separator: "; ")
    }
}
