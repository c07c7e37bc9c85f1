import Artifacts
import InferencePipeline
import Objects
import Refs

extension PageModel.Served {
    /// Shows what a service serves.
    ///
    /// - Parameters:
    ///   - ref: What it follows.
    ///   - writer: The language model that writes answers; nil where they are quotes.
    init(
        _ service: AnswerService, ref: String, writer: String?, condition: String?,
        isOpen: Bool, showsMetrics: Bool, showsAPI: Bool
    ) {
        let versions = service.current
        let chosen = versions.versions
        var members = [PageModel.Member(name: "Serves", value: ref)]
        func add(_ name: String, _ id: ObjectID?) {
            if let id { members.append(.init(name: name, value: id.short, isCode: true)) }
        }
        add("Release", chosen.release)
        add("Features", chosen.roles.features)
        add("Ranker", chosen.roles.ranker)
        if chosen.roles.ranker == nil {
            members.append(.init(name: "Ranker", value: "none: the untrained rule"))
        }
        add("Reranker", chosen.roles.reranker)
        add("Generator", versions.generator)
        add("Prompt", versions.opened.promptID)
        add("Space", versions.opened.answering.versions.space.id)
        members.append(.init(name: "Transaction", value: String(chosen.transaction)))
        let behind = service.transactionsBehind
        if behind > 0 {
            let unit = behind == 1 ? "transaction" : "transactions"
            members.append(.init(name: "Behind", value: "\(behind) \(unit)"))
        }
        members.append(
            .init(
                name: "Answers",
                value: writer.map { "written by \($0)" } ?? "quoted from the documents"))
        if writer != nil {
            let verified =
                switch versions.opened.engineCheck {
                case .passed: "yes: it answers as the release records"
                case .unknown: "no: the release does not record how it should answer"
                case .failed: "no: it does not answer as it should, and is not used"
                }
            members.append(.init(name: "Verified", value: verified))
        }
        if let condition { members.append(.init(name: "Only rows", value: condition)) }
        members.append(.init(name: "Replica", value: service.replicaName))
        members.append(.init(name: "Since", value: versions.since.description))
        self.members = members
        notices = service.parked.map { [Self.notice($0)] } ?? []
        example = (chosen.release ?? chosen.roles.features).short
        (self.isOpen, self.showsMetrics, self.showsAPI) = (isOpen, showsMetrics, showsAPI)
    }

    private static func notice(_ parked: AnswerService.Parked) -> PageModel.Notice {
        let versions = parked.snapshots.sorted { $0.key < $1.key }
            .map { "\($0.key) \($0.value.short)" }.joined(separator: ", ")
        let which = versions.isEmpty ? "" : " (\(versions))"
        return PageModel.Notice(
            headline: "New version rejected; still serving the previous one",
            message: """
                \(Secrets.redacted(parked.error.publicMessage).sentence) Rejected\(which) at \(parked.since).
                """)
    }
}
