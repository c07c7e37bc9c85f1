import Artifacts
import InferencePipeline
import Objects
import Serving

extension PageModel.Answer {
    /// Shows an answer.
    ///
    /// - Parameters:
    ///   - isKept: Whether the answer can be found by its id later.
    ///   - isOpen: Whether anyone may read the answer as JSON, without a token.
    init(_ record: AnswerRecord, isKept: Bool, isOpen: Bool, takesFeedback: Bool) {
        question = record.question
        isLong = record.question.count > 160
        let shown = Set(record.citations.shown)
        text = PageText.html(record.answer, citing: Set(record.passages.map(\.number)))
        switch record.generator {
        case .extractive: writer = "Quoted from the documents"
        case .openAI(let model, _, _, _, _): writer = "Written by \(model.shortened(to: 80))"
        }
        time = record.time.description
        timeText = time.prefix(10) + " " + time.dropFirst(11).prefix(5) + " UTC"
        path = isKept ? PageLink.answer(record.id) : nil
        remark = Self.remark(record)
        let hasCitations = record.passages.contains { shown.contains($0.number) }
        var items: (cited: [PageModel.SourceItem], others: [PageModel.SourceItem]) = ([], [])
        for passage in record.passages {
            let isCited = shown.contains(passage.number)
            let item = PageModel.SourceItem(passage, of: record, isOpen: isCited)
            if isCited || record.isAnswered && !hasCitations {
                items.cited.append(item)
            } else {
                items.others.append(item)
            }
        }
        (cited, others) = items
        (hasSources, hasOthers) = (!cited.isEmpty, !others.isEmpty)
        let count = others.count == 1 ? "1 passage" : "\(others.count) passages"
        othersTitle =
            record.isAnswered
            ? "\(count) that the answer does not cite" : "The nearest: \(count)"
        feedback =
            takesFeedback
            ? PageModel.Feedback(
                action: PageLink.answer(record.id) + "/feedback",
                hasPassages: !record.passages.isEmpty,
                passages: record.passages.map { passage in
                    .init(
                        value: PercentEncoding.encoded(passage.key),
                        label: "[\(passage.number)] \(passage.name)".shortened(to: 100))
                },
                // Another replica may receive the feedback, which does not keep this answer.
                record: HTML(exact: JSON.object(record.json).canonicalText),
                feedbackToken: isOpen ? nil : .init(field: "feedback-token")) : nil
        origins = Self.origins(record)
        self.record = isKept && isOpen ? "/v1/answers/\(record.id)" : nil
    }

    /// What a reader should know of an answer.
    private static func remark(_ record: AnswerRecord) -> String? {
        var remarks: [String] = []
        if !record.isAnswered { remarks.append("The documents do not answer this question.") }
        if !record.isVerified {
            remarks.append(
                "Not verified: nothing records how this release's language model should answer.")
        }
        switch record.ending {
        case .stop: break
        case .length: remarks.append("The answer reached its limit and is incomplete.")
        default: remarks.append("The language model withheld a part of the answer.")
        }
        switch record.citations.removed {
        case 0: break
        case 1: remarks.append("One citation of a passage that was not shown was removed.")
        case let count:
            remarks.append("\(count) citations of passages that were not shown were removed.")
        }
        return remarks.isEmpty ? nil : remarks.joined(separator: " ")
    }

    private static func origins(_ record: AnswerRecord) -> [PageModel.Member] {
        var members: [PageModel.Member] = []
        func add(_ name: String, _ value: String?) {
            if let value { members.append(.init(name: name, value: value)) }
        }
        func add(_ name: String, _ id: ObjectID?) {
            if let id { members.append(.init(name: name, value: id.short, isCode: true)) }
        }
        add("Asked as", record.asked)
        add("Ref", record.ref)
        add("Release", record.versions.release)
        add("Features", record.versions.features)
        add("Ranker", record.versions.ranker)
        add("Reranker", record.rerank?.model)
        if case .openAI(_, let snapshot, _, _, _) = record.generator { add("Generator", snapshot) }
        add("Prompt", record.prompt?.id)
        add("Space", record.versions.space)
        add("Transaction", String(record.versions.transaction))
        add("Only rows", record.condition)
        add("Replica", record.replica)
        members.append(.init(name: "Answer", value: record.id, isCode: true))
        return members
    }
}

extension PageModel.SourceItem {
    init(_ passage: AnswerRecord.Passage, of record: AnswerRecord, isOpen: Bool) {
        number = passage.number
        title = passage.headings.last ?? passage.title.nonEmpty ?? passage.document
        link = PageLink.source(
            passage.key, answer: record.id, features: record.versions.features)
        trail = PageModel.trail(title: passage.title, headings: passage.headings)
        text = PageText.html(passage.text)
        self.isOpen = isOpen
        document = passage.document
        page = passage.attributes["page"]?.integer
        address = PageLink.outside(passage.url)
        let ranks = [
            passage.vectorRank.map { "rank \($0) by meaning" },
            passage.wordsRank.map { "rank \($0) by words" },
        ].compactMap { $0 }
        self.ranks = ranks.isEmpty ? nil : ranks.joined(separator: ", ")
        language = PageLink.language(passage.attributes[FeatureRow.languageMember])
    }
}

extension AnswerRecord.Passage {
    /// What a person knows the passage by.
    fileprivate var name: String {
        PageModel.names(title: title, headings: headings).joined(separator: " › ").nonEmpty
            ?? document
    }
}

extension PageModel {
    /// A title and headings; the title only where it is not among the headings.
    static func names(title: String, headings: [String]) -> [String] {
        let isHeading = headings.contains { $0.utf8.elementsEqual(title.utf8) }
        return (isHeading || title.isEmpty ? [] : [title]) + headings
    }

    /// What stands above the innermost of the names, as one line; nil for nothing.
    static func trail(title: String, headings: [String]) -> String? {
        names(title: title, headings: headings).dropLast().joined(separator: " › ").nonEmpty
    }
}

extension String {
    /// The text; nil where it is empty.
    var nonEmpty: String? { isEmpty ? nil : self }
}
