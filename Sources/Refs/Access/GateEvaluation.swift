public import Objects

/// What gates say of moves, in the state that the moves are to be committed on.
package struct GateEvaluation<Source: ObjectRangeSource> {
    let state: State
    let changes: [RefChange]
    let objects: Source
    /// The moment of the transaction.
    let time: Timestamp
    /// Approvals in ``state`` that have expired by another clock than ``time``.
    let lapsed: Set<Approval>
    /// Tells what exists already: a remedy cannot name what is stored only if the move takes place.
    let isStored: (ObjectID) -> Bool
    /// What refs are moved to, by name.
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

    /// A gate and the snapshot that it looks at.
    private struct Question {
        let gate: Gate
        /// Whether the gate holds without any policy, and lets what is not declared pass.
        let isStanding: Bool
        /// The ref that the gate is about.
        let subject: RefName
        /// What that points at after the moves; nil when it is removed.
        let target: ObjectID?
        /// The ref that moves: the subject, or the one that it is compared with.
        let moved: RefChange
    }

    /// Asks every gate that has something to say of the moves.
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

    /// Whether any gate has something to say of moves.
    package static func concerns(_ changes: [RefChange], in state: State) -> Bool {
        !questions(changes, in: state).isEmpty
    }

    private static func questions(_ changes: [RefChange], in state: State) -> [Question] {
        guard !changes.isEmpty else { return [] }
        var questions: [Question] = []
        let byName = Dictionary(changes.map { ($0.name, $0) }) { first, _ in first }
        lazy var refs = state.refs.sorted { $0.key < $1.key }
        for (gate, isStanding) in Gate.all(in: state.policy) {
            for change in changes where gate.refs.matches(change.name) {
                guard change.new != nil || gate.condition.isAnsweredByLog else { continue }
                questions.append(
                    Question(
                        gate: gate, isStanding: isStanding, subject: change.name,
                        target: change.new, moved: change))
            }
            // What moves the other side of a comparison can break it as well.
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

    /// Refs that are looked at for one that a remedy can name.
    static var searchLimit: Int { 64 }

    /// What a ref points at once the moves are done.
    func target(of name: RefName) -> ObjectID? {
        targets[name] ?? state.target(of: name)
    }

    /// The first refs of a namespace, of which a remedy can name one.
    mutating func namesToSuggest(_ namespace: RefNamespace) -> [RefName] {
        if let names = namesToSuggest[namespace] { return names }
        let names = Array(
            state.refs.keys.filter { $0.namespace == namespace }.sorted().prefix(
                Self.searchLimit + 1))
        namesToSuggest[namespace] = names
        return names
    }

    /// How a remedy names a snapshot.
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
            GateAnswer(passes: true, demanded: "nothing of a removal", found: "it is one")
        }
    }
}

/// What a gate says of one snapshot; the members are those of ``GateOutcome``.
struct GateAnswer {
    let passes: Bool
    let demanded: String
    let found: String
    var remedy: String?
}

extension Gate.Condition {
    /// Whether the log alone answers the gate. Such a gate is asked about removals as well: the others would have no
    /// snapshot to look at.
    var isAnsweredByLog: Bool {
        switch self {
        case .approvals, .fixed: true
        case .metric, .input, .space, .evidence, .formats: false
        }
    }
}

extension Gate {
    /// The gate that holds where no policy compares these two refs: the model that serves and the features that it is served
    /// with are of one embedding space, when both say of which they are.
    static let standing: Gate? = {
        guard let model = try? RefName("models/current"),
            let features = try? RefName("features/prod")
        else { return nil }
        return Gate(refs: RefPattern(model), condition: .space(with: features))
    }()

    /// The gates that hold under a policy, each with whether it is the ``standing`` one.
    static func all(in policy: AccessPolicy?) -> [(gate: Gate, isStanding: Bool)] {
        let own = policy?.gates ?? []
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

/// What a gate says of a move.
public struct GateOutcome: Hashable, Sendable {
    /// The gate.
    public let gate: Gate
    /// The ref that is to be moved.
    public let ref: RefName
    /// What it is to point at; nil when it is to be removed.
    public let target: ObjectID?
    /// Whether the gate lets it pass.
    public let passes: Bool
    /// What the gate demands, as a noun: `recall@10 of at least 0.8`.
    public let demanded: String
    /// What there is in its place, as a statement: `it has 0.75`.
    public let found: String
    /// What would satisfy the gate, a command line where one exists; nil when it passes.
    public let remedy: String?

    /// All of it on one line, as an override keeps it.
    public var summary: String {
        "\(gate.condition.type) of \(gate.refs): \(demanded), and \(found)"
    }

    /// The outcome as results and reports have it.
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
    /// What a person is told of refusals, each on a line of its own.
    var refusal: String {
        let lines = map { outcome in
            let other = outcome.gate.refs.matches(outcome.ref) ? "" : " of \(outcome.gate.refs)"
            let move = outcome.target.map { "cannot move to \($0.short)" } ?? "cannot be removed"
            return
                "\(outcome.ref) \(move): the \(outcome.gate.condition.type) "
                + "gate\(other) demands \(outcome.demanded), and \(outcome.found)"
        }
        return lines.joined(separator: "\n")
    }

    /// The different remedies.
    var remedy: String? {
        var remedies: [String] = []
        var known: Set<String> = []
        for case let remedy? in map(\.remedy) where known.insert(remedy).inserted {
            remedies.append(remedy)
        }
        return remedies.isEmpty ? nil : remedies.joined(separator: "; ")
    }
}
