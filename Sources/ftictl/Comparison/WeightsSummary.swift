import CommandSupport
import Objects
import Storage

/// What a weights file holds, or why it is not one although its name says so.
struct WeightsSummary {
    let path: String
    let header: Result<Safetensors, SafetensorsError>

    private static let suffix = Array(".safetensors".utf8)
    /// Files of one snapshot that are looked into.
    private static let fileLimit = 64

    /// Whether a name says that a file holds weights.
    static func isNamedSo(_ name: FileName) -> Bool {
        name.bytes.suffix(suffix.count) == suffix[...]
    }

    /// Reads a file's header; nil for a file that does not claim to hold weights.
    init?(_ entry: TreeEntry, path: String, in objects: PackStore) throws {
        guard entry.mode != .directory, Self.isNamedSo(entry.name) else { return nil }
        self.path = path
        header = try Safetensors.read(entry.id, in: objects)
    }

    /// The weights files of a snapshot.
    static func all(of snapshot: Snapshot, in objects: PackStore) throws -> [WeightsSummary] {
        guard case .tree(let root, _, _) = snapshot.content else { return [] }
        var walk = try TreeWalk(root, in: objects)
        var result: [WeightsSummary] = []
        while result.count < fileLimit, let element = try walk.next() {
            let path = element.path.description
            guard let summary = try WeightsSummary(element.entry, path: path, in: objects) else {
                continue
            }
            result.append(summary)
        }
        return result
    }

    var tensors: [Tensor] { (try? header.get())?.tensors ?? [] }

    private var parameters: Int {
        tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
    }

    private var types: [String] { Set(tensors.map(\.type.rawValue)).sorted() }

    /// `12 tensors, 1,204,224 parameters (BF16)`, or why not.
    var description: String {
        switch header {
        case .failure(let error): error.description.printable()
        case .success:
            "\(Quantity.count(tensors.count, "tensor")), "
                + "\(Quantity.count(parameters, "parameter"))"
                + (types.isEmpty ? "" : " (\(types.joined(separator: ", ")))")
        }
    }

    var json: JSON {
        switch header {
        case .failure(let error): ["path": .string(path), "problem": .string(error.description)]
        case .success:
            [
                "path": .string(path), "tensors": .integer(tensors.count),
                "parameters": .number(Double(parameters)),
                "dtypes": .array(types.map { .string($0) }),
            ]
        }
    }
}
