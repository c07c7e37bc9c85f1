import CommandSupport
import Objects
import Storage

/// What a weights file holds, or why it is not one although its name says so.
struct WeightsSummary {
    let path: String
    /// The tensors, and of a GGUF file what it says of the model; or why it is no such file.
    let content: Result<Content, Problem>

    /// What is in it.
    struct Content {
        let tensors: [Tensor]
        var metadata: [GGUF.Member] = []
    }

    /// Why a file is not what its name says.
    struct Problem: Error {
        let reason: String
    }

    /// Files of one snapshot that are looked into.
    private static let fileLimit = 64

    /// The format of weights that a name says a file has; nil for any other name.
    static func format(of name: FileName) -> FileFormat? {
        let formats: [FileFormat] = [.safetensors, .gguf]
        return formats.first { format in
            let suffix = Array(".\(format.rawValue)".utf8)
            return name.bytes.count > suffix.count && name.bytes.suffix(suffix.count) == suffix[...]
        }
    }

    /// Reads the header of a file of weights.
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

    /// The weights files of a snapshot, by their names.
    static func all(of snapshot: Snapshot, in objects: PackStore) throws -> [WeightsSummary] {
        guard case .tree(let root, _, _) = snapshot.content else { return [] }
        // A tree can name one directory at any number of paths.
        var walk = try TreeWalk(root, in: objects, visiting: .eachDirectoryOnce)
        var result: [WeightsSummary] = []
        while result.count < fileLimit, let element = try walk.next() {
            guard element.entry.mode != .directory, let format = format(of: element.entry.name)
            else { continue }
            result.append(
                try WeightsSummary(
                    element.entry.id, format, path: element.path.description, in: objects))
        }
        return result
    }

    var tensors: [Tensor] { (try? content.get())?.tensors ?? [] }

    var metadata: [GGUF.Member] { (try? content.get())?.metadata ?? [] }

    private var parameters: Double { tensors.reduce(0) { $0 + Double($1.elements) } }

    private var types: [String] { Set(tensors.map(\.dtype)).sorted() }

    /// `12 tensors, 1,204,224 parameters (BF16)`, or why not.
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
    /// `dtype` and `shape`, as JSON results have them.
    var json: JSON {
        [
            "dtype": .string(dtype),
            // A file may claim any extent.
            "shape": .array(shape.map { .number(Double($0)) }),
        ]
    }
}

extension GGUF.Value {
    /// The value as a person reads it.
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

    /// The value in JSON; text where JSON has no such number, and of a list its type and length.
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

/// A file that runs code when it is loaded, whatever its name says.
struct PickledFile {
    let path: String
    let format: FileFormat

    /// Files of one snapshot that are looked into.
    private static let fileLimit = 64

    /// Those among the first files of a snapshot.
    static func all(of snapshot: Snapshot, in objects: PackStore) throws -> [PickledFile] {
        guard case .tree(let root, _, _) = snapshot.content else { return [] }
        // A tree can name one directory at any number of paths.
        var walk = try TreeWalk(root, in: objects, visiting: .eachDirectoryOnce)
        var found: [PickledFile] = []
        var seen = 0
        while seen < fileLimit, let element = try walk.next() {
            guard element.entry.mode != .directory else { continue }
            seen += 1
            let format = try FileFormat(of: element.entry.id, in: objects)
            guard format.runsCode else { continue }
            found.append(PickledFile(path: element.path.description, format: format))
        }
        return found
    }

    var json: JSON { ["path": .string(path), "format": .string(format.rawValue)] }
}
