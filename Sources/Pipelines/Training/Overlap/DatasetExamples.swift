internal import Artifacts
public import Objects
internal import Storage

extension DatasetOverlap {
    /// Compares two dataset snapshots: the examples that the first trains on with those that the second evaluates on.
    ///
    /// Datasets are trees of JSON Lines files, or tables. An example has `messages`, or `prompt` with `chosen`, or a
    /// `question`; `labels.jsonl` may give the question of an example by `split` and `index`. Of a dataset with
    /// `heldout.jsonl`, that file evaluates and the others train; of any other dataset, all files do both.
    ///
    /// - Throws: `notDataset` for a snapshot of another kind, or without any example of these forms; `labels` with the
    ///   line of a mistake; `objects`.
    public static func find(
        training: ObjectID, evaluation: ObjectID, in source: some ObjectSource
    ) throws(TrainingError) -> DatasetOverlap {
        find(
            training: try DatasetExamples(training, in: source).examples(for: .training),
            evaluation: try DatasetExamples(evaluation, in: source).examples(for: .evaluation))
    }
}

/// Reads the examples of a dataset snapshot for a comparison.
struct DatasetExamples<Source: ObjectSource> {
    enum Use {
        case training
        case evaluation
    }

    private let id: ObjectID
    private let content: Content
    private let source: Source

    /// The files that hold no examples, or those held out.
    private static var labels: String { "labels.jsonl" }
    private static var heldOut: String { "heldout.jsonl" }
    private static var fileLimit: Int { 1 << 30 }

    init(_ id: ObjectID, in source: Source) throws(TrainingError) {
        let snapshot = try wrapping(Snapshot(id, in: source), as: TrainingError.objects)
        guard snapshot.kind == .dataset else {
            throw .notDataset(id, reason: "it is a snapshot of kind \(snapshot.kind)")
        }
        self.id = id
        self.content = snapshot.content
        self.source = source
    }

    /// The examples for one use, in the order of files and lines.
    func examples(for use: Use) throws(TrainingError) -> [DatasetOverlap.Example] {
        var examples: [DatasetOverlap.Example] = []
        var unread = 0
        func add(_ row: JSONObject, place: String, id: String, question: String?) {
            if let example = Self.example(row, place: place, id: id, question: question) {
                examples.append(example)
            } else {
                unread += 1
            }
        }
        switch content {
        case .table(let table):
            try wrapping(as: TrainingError.objects) { () throws(ObjectError) in
                var cursor = TableCursor(table, in: source)
                while let row = try cursor.next() {
                    add(row.attributes, place: "row", id: row.key, question: nil)
                }
            }
        case .tree(let tree, _, _):
            let files = try files(tree)
            let hasHeldOut = files.contains { $0.path == Self.heldOut }
            let questions = try questions(files)
            for file in files where file.path != Self.labels {
                guard !hasHeldOut || (file.path == Self.heldOut) == (use == .evaluation) else {
                    continue
                }
                var index = 0
                try forEachLine(of: file) { row, number in
                    let label = questions[Label(file: file.path, index: index)]
                    add(
                        row, place: file.path, id: label?.id ?? "line \(number)",
                        question: label?.question)
                    index += 1
                }
            }
        }
        guard !examples.isEmpty || unread == 0 else {
            throw .notDataset(
                id, reason: "no line has messages, a prompt with chosen, or a question")
        }
        return examples
    }

    private struct File {
        let path: String
        let id: ObjectID
    }

    /// The JSON Lines files of a tree, in order of their paths.
    private func files(_ tree: ObjectID) throws(TrainingError) -> [File] {
        try wrapping(as: TrainingError.objects) { () throws(ObjectError) in
            var walk = try TreeWalk(tree, in: source)
            var files: [File] = []
            while let element = try walk.next() {
                let path = element.path.description
                guard element.entry.mode == .file || element.entry.mode == .executable,
                    path.utf8.reversed().starts(with: ".jsonl".utf8.reversed())
                else { continue }
                files.append(File(path: path, id: element.entry.id))
            }
            return files
        }
    }

    /// The place of an example that a label is about.
    private struct Label: Hashable {
        let file: String
        let index: Int
    }

    /// The ids and questions that `labels.jsonl` gives.
    private func questions(
        _ files: [File]
    ) throws(TrainingError) -> [Label: (id: String, question: String)] {
        var questions: [Label: (id: String, question: String)] = [:]
        guard let file = files.first(where: { $0.path == Self.labels }) else { return questions }
        try forEachLine(of: file) { row, _ in
            guard let split = row["split"]?.string, let index = row["index"]?.integer,
                let question = row["question"]?.string
            else { return }
            let name = split == SplitFiles.heldOutSplit ? Self.heldOut : "\(split).jsonl"
            questions[Label(file: name, index: index)] = (
                row["id"]?.string ?? "line \(index + 1)", question
            )
        }
        return questions
    }

    /// Passes each object of a file to `body`, with the number of its line.
    private func forEachLine(
        of file: File, _ body: (JSONObject, Int) -> Void
    ) throws(TrainingError) {
        let bytes = try wrapping(
            source.read(file.id, limit: Self.fileLimit), as: TrainingError.objects)
        var number = 0
        for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
            number += 1
            guard line.contains(where: { $0 > 0x20 }) else { continue }
            let text = Array(line)
            guard let json = try? JSON(parsing: text.span, roundsNumbers: true),
                case .object(let object) = json
            else { throw .labels(path: file.path, line: number, reason: "it is not a JSON object") }
            body(object, number)
        }
    }

    private static func example(
        _ row: JSONObject, place: String, id: String, question: String?
    ) -> DatasetOverlap.Example? {
        let messages = row["messages"]?.array ?? row["prompt"]?.array
        if let messages {
            let before = messages.last?["role"] == "assistant" ? messages.dropLast() : messages[...]
            let asked = before.last { $0["role"] == "user" }?["content"]?.string
            guard let question = question ?? asked else { return nil }
            return DatasetOverlap.Example(
                place: place, id: id, question: question,
                conversation: before.compactMap { $0["content"]?.string }.joined(separator: "\n"))
        }
        let text = question ?? row["question"]?.string ?? row["prompt"]?.string
        return text.map { DatasetOverlap.Example(place: place, id: id, question: $0) }
    }
}
