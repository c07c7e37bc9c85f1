public import Objects
internal import Storage

/// The folder of a model in the layout of Hugging Face: its files and folders, by name.
public struct ModelFolder: Sendable {
    /// What the folder holds, in the order of the names.
    let entries: [TreeEntry]

    /// Reads the tree of a folder, but no files.
    ///
    /// - Throws: The errors of reading a tree.
    public init(_ tree: ObjectID, in source: some ObjectSource) throws(ObjectError) {
        entries = try TreeReader(source).tree(tree).entries
    }

    /// A file of the folder; nil if there is none of this name.
    func file(_ name: String) -> TreeEntry? {
        entries.first { $0.mode != .directory && $0.name.bytes.elementsEqual(name.utf8) }
    }

    /// Whether it holds an adapter and no weights of its own: it needs a base to run.
    public var isAdapter: Bool {
        file(LowRankAdapter.configName) != nil && !entries.contains(where: Self.isWeights)
    }

    /// Whether an entry holds weights of a whole model.
    private static func isWeights(_ entry: TreeEntry) -> Bool {
        guard entry.mode != .directory else { return false }
        let name = entry.name.description
        return (name.hasSuffix(".safetensors") && name != LowRankAdapter.tensorsName)
            || name.hasSuffix(".gguf")
            || (name.hasPrefix("pytorch_model") && name.hasSuffix(".bin"))
    }

    /// The files in safetensors that hold weights of a whole model.
    var weights: [TreeEntry] {
        entries.filter { Self.isWeights($0) && $0.name.description.hasSuffix(".safetensors") }
    }

    /// The folders that hold an adapter: this one and those directly in it, such as `adapter` and `checkpoint-4`.
    ///
    /// - Returns: Each with its name; that of this folder is empty.
    /// - Throws: The errors of reading a tree.
    public func adapters(
        in source: some ObjectSource
    ) throws(ObjectError) -> [(name: String, folder: ModelFolder)] {
        var found: [(name: String, folder: ModelFolder)] = []
        if file(LowRankAdapter.configName) != nil { found.append(("", self)) }
        for entry in entries where entry.mode == .directory {
            let folder = try ModelFolder(entry.id, in: source)
            guard folder.file(LowRankAdapter.configName) != nil else { continue }
            found.append((entry.name.description, folder))
        }
        return found
    }
}

extension ModelFolder {
    /// Reads a JSON file of the folder; nil if there is none, or if it is no JSON object of at most `limit` bytes.
    func json(
        _ name: String, in source: some ObjectSource, limit: Int = 4 << 20,
        values: Int = 1_000_000
    ) throws(ObjectError) -> JSONObject? {
        guard let entry = file(name), entry.size <= limit else { return nil }
        let bytes = try source.read(entry.id, limit: limit)
        let json = try? JSON(parsing: bytes.span, roundsNumbers: true, valueLimit: values)
        return json?.object
    }
}
