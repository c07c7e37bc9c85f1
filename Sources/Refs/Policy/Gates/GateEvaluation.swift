internal import Objects

/// What gates say of moves, in the state that the moves are to be committed on.
struct GateEvaluation<Source: ObjectRangeSource> {
    let state: State
    let changes: [RefChange]
    let objects: Source
    /// The moment of the transaction.
    let time: Timestamp
    /// Tells what exists already: a remedy cannot name what is stored only if the move takes place.
    let isStored: (ObjectID) -> Bool
    var ancestry: Ancestry<Source>

    init(
        _ changes: [RefChange], in state: State, objects: Source, time: Timestamp,
        isStored: @escaping (ObjectID) -> Bool = { _ in true }
    ) {
        self.changes = changes
        self.state = state
        self.objects = objects
        self.time = time
        self.isStored = isStored
        ancestry = Ancestry(in: objects)
    }

    /// A gate and the snapshot that it looks at.
    private struct Question {
        let gate: Gate
        /// Whether the gate holds without any policy, and lets what is not declared pass.
        let isStanding: Bool
        /// The ref that the gate is about.
        let subject: RefName
        let target: ObjectID
        /// The ref that moves: the subject, or the one that it is compared with.
        let moved: RefChange
    }

    /// Asks every gate that has something to say of the moves.
    ///
    /// - Throws: `objects` when objects cannot be read.
    mutating func outcomes() throws(RefError) -> [GateOutcome] {
        var outcomes: [GateOutcome] = []
        for question in Self.questions(changes, in: state) {
            let answer = try answer(question)
            guard let new = question.moved.new else { continue }
            outcomes.append(
                GateOutcome(
                    gate: question.gate, ref: question.moved.name, target: new,
                    passes: answer.passes, demanded: answer.demanded, found: answer.found,
                    remedy: answer.passes ? nil : answer.remedy))
        }
        return outcomes
    }

    /// Whether any gate has something to say of moves.
    static func concerns(_ changes: [RefChange], in state: State) -> Bool {
        !questions(changes, in: state).isEmpty
    }

    private static func questions(_ changes: [RefChange], in state: State) -> [Question] {
        guard changes.contains(where: { $0.new != nil }) else { return [] }
        var questions: [Question] = []
        for (gate, isStanding) in Gate.all(in: state.policy) {
            for change in changes where gate.refs.matches(change.name) {
                guard let target = change.new else { continue }
                questions.append(
                    Question(
                        gate: gate, isStanding: isStanding, subject: change.name, target: target,
                        moved: change))
            }
            // What moves the other side of a comparison can break it as well.
            guard case .space(let other) = gate.condition,
                let moved = changes.first(where: { $0.name == other }), moved.new != nil
            else { continue }
            for (subject, ref) in state.refs.sorted(by: { $0.key < $1.key })
            where gate.refs.matches(subject) && !changes.contains(where: { $0.name == subject }) {
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
        if let change = changes.first(where: { $0.name == name }) { return change.new }
        return state.target(of: name)
    }

    /// How a remedy names a snapshot.
    func revision(_ id: ObjectID) -> String { isStored(id) ? id.short : "REV" }

    private mutating func answer(_ question: Question) throws(RefError) -> GateAnswer {
        let (ref, target) = (question.subject, question.target)
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
        case .approvals(let count, let keys):
            return approvals(count, keys, of: target, for: ref)
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
    static func all(in policy: Policy?) -> [(gate: Gate, isStanding: Bool)] {
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
