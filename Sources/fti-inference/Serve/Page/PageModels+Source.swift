import Artifacts
import InferencePipeline
import Objects

extension PageModel.Source {
    /// Shows a passage in its document as it is served now.
    ///
    /// - Parameters:
    ///   - answer: The answer that led here.
    ///   - notices: What the reader should know first.
    init(_ context: PassageContext, answer: AnswerID?, notices: [PageModel.Notice]) {
        let row = context.rows[context.place]
        let texts = Self.withoutRepetitions(context.rows.map(\.text), around: context.place)
        self.init(
            row, notices: notices,
            chunks: zip(context.rows, texts).enumerated().map { index, pair in
                Chunk(
                    html: PageText.html(pair.1), isPassage: index == context.place,
                    language: PageLink.language(pair.0.metadata[FeatureRow.languageMember]))
            },
            hasEarlier: context.hasEarlier, hasLater: context.hasLater, answer: answer,
            sections: context.sections.filter { $0.section != row.section }.map { other in
                Section(
                    title: other.headings.last ?? other.title.nonEmpty ?? other.document,
                    link: PageLink.source(other.key))
            })
    }

    /// Shows a passage as an answer kept it, where the documents no longer have it.
    init(_ passage: AnswerRecord.Passage, answer: AnswerID, notices: [PageModel.Notice]) {
        var row = FeatureRow(
            document: passage.document, title: passage.title, section: passage.section,
            headings: passage.headings, ordinal: 0, text: passage.text,
            metadata: passage.attributes)
        row.metadata["ordinal"] = nil
        row.metadata["url"] = passage.url.map { .string($0) }
        self.init(
            row, notices: notices,
            chunks: [
                Chunk(
                    html: PageText.html(passage.text), isPassage: true,
                    language: PageLink.language(passage.attributes[FeatureRow.languageMember]))
            ], hasEarlier: false, hasLater: false, answer: answer, sections: [])
    }

    private init(
        _ row: FeatureRow, notices: [PageModel.Notice], chunks: [Chunk], hasEarlier: Bool,
        hasLater: Bool, answer: AnswerID?, sections: [Section]
    ) {
        self.notices = notices
        title = row.headings.last ?? row.title.nonEmpty ?? row.document
        trail = PageModel.trail(title: row.title, headings: row.headings)
        self.chunks = chunks
        (self.hasEarlier, self.hasLater) = (hasEarlier, hasLater)
        address = PageLink.outside(row.metadata["url"]?.string)
        back = answer.map { PageLink.answer($0.description) }
        var members = [PageModel.Member(name: "document", value: row.document)]
        if let page = row.page { members.append(.init(name: "page", value: String(page))) }
        for member in row.metadata.prefix(Self.attributeLimit) {
            guard let value = Self.text(of: member.value) else { continue }
            members.append(
                .init(
                    name: member.key.shortened(to: 60),
                    value: value.shortened(to: Self.valueLimit)))
        }
        attributes = members
        self.sections = sections
        hasSections = !sections.isEmpty
    }

    private static let attributeLimit = 24
    private static let valueLimit = 300

    /// A value of an attribute as text; nil for objects and for nothing.
    private static func text(of value: JSON) -> String? {
        switch value {
        case .string(let text): text.nonEmpty
        case .null, .object: nil
        case .array(let items):
            items.prefix(attributeLimit).compactMap { text(of: $0) }.joined(separator: ", ")
                .nonEmpty
        default: value.canonicalText
        }
    }

    /// The texts of neighbouring chunks without the sentences that a chunk repeats from the one before; the passage
    /// itself stays whole.
    private static func withoutRepetitions(_ texts: [String], around place: Int) -> [String] {
        let bytes = texts.map { Array($0.utf8) }
        return texts.indices.map { index in
            if index < place {
                let shared = overlap(bytes[index], bytes[index + 1])
                return String(decoding: bytes[index].dropLast(shared), as: UTF8.self)
            }
            guard index > place else { return texts[index] }
            let shared = overlap(bytes[index - 1], bytes[index])
            return String(decoding: bytes[index].dropFirst(shared), as: UTF8.self)
        }
    }

    /// The length of the longest end of one text that begins the next; 0 where it is too short to be meant.
    private static func overlap(_ first: [UInt8], _ second: [UInt8]) -> Int {
        let longest = min(first.count, second.count, 2000)
        for length in stride(from: longest, through: 12, by: -1)
        where first.suffix(length).elementsEqual(second.prefix(length)) {
            return length
        }
        return 0
    }
}
