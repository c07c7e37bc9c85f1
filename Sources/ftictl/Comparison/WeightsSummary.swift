import FileFormats
import CommandSupport
import Objects
import Storage

/// The contents of a weights file, or the reason why it cannot be read as one.
struct WeightsSummary {
    let path: String
    /// The contents, or the reason why the file is invalid.
    let content: Result<Content, Problem>

    /// The tensors and, for a GGUF file, the metadata.
    struct Content {
        let tensors: [Tensor]
        var metadata: [GGUF.Member] = []
    }

    /// The reason why a file is not a valid weights file.
    struct Problem: Error {
        let reason: String
    }

    /// The most weights files of one snapshot that are examined.
    private static let fileLimit = 64

    /// The weights format that the extension of a file indicates; nil for any other extension.
    static func format(of name: FileName) -> FileFormat? {
        let formats: [FileFormat] = [.safetensors, .gguf]
        return formats.first { format in
            let suffix = Array(".\(format.rawValue)".utf8)
            return name.bytes.count > suffix.count && name.bytes.suffix(suffix.count) == suffix[...]
        }
    }

    /// Reads the header of a weights file.
    init(_ id: ObjectID, _ format: FileFormat, path: String, in objects: PackStore) throws {
        self.path = path
        if format == .gguf {
            let header = try GGUF.read(id, in: objects)
            content =
                header.map { .success(Content(tensors: $0.tensors, metadata: $0.metadata)) }
                ?? .failure(Problem(reason: "not a valid GGUF file"))
        } else {
            content = try Safetensors.read(id, in: objects)
                .map { Content(tensors: $0.tensors) }
                .mapError { Problem(reason: $0.description) }
        }
    }

    /// The first weights files of a snapshot, recognised by their names.
    static func all(of snapshot: Snapshot, in objects: PackStore) throws -> [WeightsSummary] {
        var result: [WeightsSummary] = []
        try snapshot.forEachFile(in: objects) { path, entry in
            if let format = format(of: entry.name) {
                result.append(try WeightsSummary(entry.id, format, path: path, in: objects))
            }
            return result.count < fileLimit
        }
        return result
    }

    var tensors: [Tensor] { (try? content.get())?.tensors ?? [] }

    var metadata: [GGUF.Member] { (try? content.get())?.metadata ?? [] }

    private var parameters: Double { tensors.reduce(0) { $0 + Double($1.elements) } }

    private var types: [String] { Set(tensors.map(\.dtype)).sorted() }

    /// `12 tensors, 1,204,224 parameters (BF16)`, or the reason why the file is invalid.
    var description: String {
        switch content {
        case .failure(let problem): problem.reason.printable()
        case .success:
            "\(Quantity.count(tensors.count, "tensor")), "
                + (Int(exactly: parameters).map { Quantity.count($0, "parameter") }
                    ?? "\(parameters) parameters")
                + (types.isEmpty ? "" : " (\(types.joined(separator: ", ").printable()))")
        }
    }

    var json: JSON {
        switch content {
        case .failure(let problem): ["path": .string(path), "problem": .string(problem.reason)]
        case .success:
            [
                "path": .string(path), "tensors": .integer(tensors.count),
                "parameters": .number(parameters),
                "dtypes": .array(types.map { .string($0) }),
            ]
        }
    }
}

extension Tensor {
    /// The members `dtype` and `shape` of JSON results.
    var json: JSON {
        [
            "dtype": .string(dtype),
            // A file may claim dimensions beyond the integers of JSON.
            "shape": .array(shape.map { .number(Double($0)) }),
        ]
    }
}

extension GGUF.Value {
    /// The value as text.
    var description: String {
        switch self {
        case .unsigned(let number): String(number)
        case .signed(let number): String(number)
        case .float(let number): number.isFinite ? Quantity.measurement(number) : "\(number)"
        case .bool(let truth): "\(truth)"
        case .text(let text): text
        case .list(let type, let count): "list of \(count) (\(type))"
        }
    }

    /// The value in JSON: text for a number that JSON cannot represent, type and length for a list.
    var json: JSON {
        switch self {
        case .unsigned(let number):
            number <= UInt64(JSON.largestInteger)
                ? .number(Double(number)) : .string(String(number))
        case .signed(let number):
            number.magnitude <= UInt64(JSON.largestInteger)
                ? .number(Double(number)) : .string(String(number))
        case .float(let number): number.isFinite ? .number(number) : .string("\(number)")
        case .bool(let truth): .bool(truth)
        case .text(let text): .string(text)
        case .list(let type, let count):
            ["list": .string(type), "count": .number(Double(count))]
        }
    }
}

extension Snapshot {
    /// Calls `body` for each file of a tree, until it returns false.
    fileprivate func forEachFile(
        in objects: PackStore, _ body: (_ path: String, TreeEntry) throws -> Bool
    ) throws {
        guard case .tree(let root, _, _) = content else { return }
        // A tree can contain the same directory at any number of paths.
        var walk = try TreeWalk(root, in: objects, visiting: .eachDirectoryOnce)
        while let element = try walk.next() {
            guard element.entry.mode != .directory else { continue }
            guard try body(element.path.description, element.entry) else { return }
        }
    }
}

/// A file that runs code when loaded, whatever its name.
struct PickledFile {
    let path: String
    let format: FileFormat

    /// The maximum number of files of one snapshot that are examined.
    private static let fileLimit = 64

    /// The pickled files among the first files of a snapshot.
    static func all(of snapshot: Snapshot, in objects: PackStore) throws -> [PickledFile] {
        var found: [PickledFile] = []
        var seen = 0
        try snapshot.forEachFile(in: objects) { path, entry in
            let format = try FileFormat.detect(entry.id, in: objects)
            if format.runsCode { found.append(PickledFile(path: path, format: format)) }
            seen += 1
            return seen < fileLimit
        }
        return found
    }

    var json: JSON { ["path": .string(path), "format": .string(format.rawValue)] }
}
