/// Where the special tokens stand around one text or two.
struct SequenceTemplate: Sendable {
    enum Part: Sendable {
        /// A text: the first (0) or the second (1).
        case text(Int, type: UInt8)
        /// Special tokens.
        case special([Int32], type: UInt8)
    }

    let parts: [Part]
    /// The number of special tokens.
    let specialCount: Int

    init(_ parts: [Part]) {
        self.parts = parts
        specialCount = parts.reduce(0) { sum, part in
            if case .special(let ids, _) = part { sum + ids.count } else { sum }
        }
    }

    /// One text, or two, without special tokens.
    static let plain = SequenceTemplate([.text(0, type: 0)])
    static let plainPair = SequenceTemplate([.text(0, type: 0), .text(1, type: 1)])

    /// The template of BERT: `[CLS] A [SEP]`.
    static func bert(first: Int32, last: Int32) -> SequenceTemplate {
        SequenceTemplate([.special([first], type: 0), .text(0, type: 0), .special([last], type: 0)])
    }

    /// The template of BERT for a pair: `[CLS] A [SEP] B [SEP]`.
    static func bertPair(first: Int32, last: Int32) -> SequenceTemplate {
        SequenceTemplate([
            .special([first], type: 0), .text(0, type: 0), .special([last], type: 0),
            .text(1, type: 1), .special([last], type: 1),
        ])
    }

    /// The number of ids of texts that a limit leaves room for.
    func room(within limit: Int) -> Int { max(0, max(0, limit) - specialCount) }

    /// Puts texts and special tokens together. A limit below ``specialCount`` cuts special tokens.
    func encoding(
        of texts: [ArraySlice<Int32>], limit: Int, isCut: Bool
    ) -> WordPieceTokenizer.Encoding {
        var ids: [Int32] = []
        var types: [UInt8] = []
        ids.reserveCapacity(specialCount + texts.reduce(0) { $0 + $1.count })
        for part in parts {
            switch part {
            case .text(let index, let type):
                ids.append(contentsOf: texts[index])
                types.append(contentsOf: repeatElement(type, count: texts[index].count))
            case .special(let special, let type):
                ids.append(contentsOf: special)
                types.append(contentsOf: repeatElement(type, count: special.count))
            }
        }
        guard ids.count > limit else { return .init(ids: ids, types: types, isCut: isCut) }
        return .init(
            ids: Array(ids.prefix(max(0, limit))), types: Array(types.prefix(max(0, limit))),
            isCut: true)
    }
}
