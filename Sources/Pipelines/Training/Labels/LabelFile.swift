internal import Artifacts
internal import Objects
internal import Storage

/// Files of labels: one JSON object a line; empty lines do not count.
public enum LabelFile {
    /// More would not fit beside the features in memory.
    private static let byteLimit = 256 << 20

    /// Reads `{"id", "question", "answers": [{"document", "section"}]}` lines.
    ///
    /// - Throws: `labels` with the line, also when an id appears twice.
    public static func questions(
        _ bytes: [UInt8], path: String
    ) throws(TrainingError) -> [LabelledQuestion] {
        var questions: [LabelledQuestion] = []
        try forEachObject(bytes, path: path) { (reader) throws(JSONSchemaError) in
            let id = try reader.string("id")
            let question = try question(&reader)
            var answers: [SectionLabel] = []
            for (index, json) in try reader.array("answers").enumerated() {
                guard let object = json.object else {
                    throw reader.error("answers[\(index)]", "must be an object")
                }
                var inner = JSONObjectReader(object, path: "answers[\(index)]")
                answers.append(try section(&inner))
            }
            questions.append(LabelledQuestion(id: id, question: question, answers: answers))
            return id
        }
        return questions
    }

    /// Reads `{"id", "question", "chosen": {"document", "section"}, "rejected": {...}}` lines.
    ///
    /// - Throws: `labels` with the line, also when an id appears twice.
    public static func preferences(
        _ bytes: [UInt8], path: String
    ) throws(TrainingError) -> [LabelledPreference] {
        var preferences: [LabelledPreference] = []
        try forEachObject(bytes, path: path) { (reader) throws(JSONSchemaError) in
            let preference = LabelledPreference(
                id: try reader.string("id"), question: try question(&reader),
                chosen: try reader.nested("chosen") { (inner) throws(JSONSchemaError) in
                    try section(&inner)
                },
                rejected: try reader.nested("rejected") { (inner) throws(JSONSchemaError) in
                    try section(&inner)
                })
            preferences.append(preference)
            return preference.id
        }
        return preferences
    }

    private static func question(
        _ reader: inout JSONObjectReader
    ) throws(JSONSchemaError) -> String {
        let question = try reader.string("question")
        guard question.contains(where: { $0.isLetter || $0.isNumber }) else {
            throw reader.error("question", "has no words")
        }
        return question
    }

    /// Reads a whole file.
    static func read(_ path: String) throws(TrainingError) -> [UInt8] {
        try wrapping(as: TrainingError.storage) { () throws(StorageError) in
            try LocalFile.read(path, limit: byteLimit)
        }
    }

    private static func section(
        _ reader: inout JSONObjectReader
    ) throws(JSONSchemaError) -> SectionLabel {
        let document = try reader.string("document")
        let encoded = DocumentPath.encode(document) ?? document
        return SectionLabel(
            document: encoded, section: try reader.string("section"),
            otherwise: encoded.utf8.elementsEqual(document.utf8) ? nil : document)
    }

    /// Reads the objects with `read`, which returns the id of each.
    private static func forEachObject(
        _ bytes: [UInt8], path: String,
        _ read: (inout JSONObjectReader) throws(JSONSchemaError) -> String
    ) throws(TrainingError) {
        var lines: [[UInt8]: Int] = [:]
        for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
            .enumerated() where line.contains(where: { $0 > 0x20 })
        {
            let number = index + 1
            let json: JSON
            do {
                let text = Array(line)
                json = try JSON(parsing: text.span)
            } catch {
                throw .labels(
                    path: path, line: number, reason: "\(error.reason) at byte \(error.offset)")
            }
            guard let object = json.object else {
                throw .labels(path: path, line: number, reason: "it is not a JSON object")
            }
            let id: String
            do {
                var reader = JSONObjectReader(object)
                id = try read(&reader)
            } catch {
                throw .labels(path: path, line: number, reason: "\(error.path) \(error.reason)")
            }
            if let first = lines.updateValue(number, forKey: Array(id.utf8)) {
                throw .labels(
                    path: path, line: number, reason: "its id \(id) is that of line \(first)")
            }
        }
    }
}
