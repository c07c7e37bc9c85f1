public import Objects
internal import Storage

/// The folder of a model in a repository, as `sentence-transformers` and `transformers` lay it out.
public struct ModelFolder: Sendable {
    private let root: ObjectID
    let source: any ObjectSource

    /// The greatest size of a file other than weights.
    private static let fileLimit = 64 << 20

    /// Names the tree of a model.
    public init(_ root: ObjectID, in source: any ObjectSource) {
        self.root = root
        self.source = source
    }

    /// The content of a model snapshot; nil for a snapshot of another kind.
    public init?(model: ObjectID, in source: any ObjectSource) throws(ObjectError) {
        let snapshot = try Snapshot(model, in: source)
        guard snapshot.kind == .model, case .tree(let root, _, _) = snapshot.content else {
            return nil
        }
        self.init(root, in: source)
    }

    /// The identity of a file; nil when there is none.
    func id(of path: String) throws(EncoderError) -> ObjectID? {
        guard let relative = try? RelativePath(path) else { return nil }
        let entry = try wrapping(as: EncoderError.objects) { () throws(ObjectError) in
            try TreeReader(source).entry(at: relative, in: root)
        }
        guard let entry, entry.mode != .directory else { return nil }
        return entry.id
    }

    /// The bytes of a file; nil when there is none.
    func bytes(of path: String) throws(EncoderError) -> [UInt8]? {
        guard let id = try id(of: path) else { return nil }
        return try Self.bytes(id, in: source)
    }

    /// A file that is a JSON object; nil when there is none.
    func object(at path: String) throws(EncoderError) -> JSONObject? {
        guard let json = try json(at: path) else { return nil }
        guard let object = json.object else {
            throw .malformed(file: path, reason: "is not a JSON object")
        }
        return object
    }

    /// A file of JSON; nil when there is none.
    func json(at path: String) throws(EncoderError) -> JSON? {
        guard let bytes = try bytes(of: path) else { return nil }
        do throws(JSONError) { return try JSON(parsing: bytes.span) } catch {
            throw .malformed(
                file: path, reason: "is not JSON: \(error.reason) at byte \(error.offset)")
        }
    }

    /// The bytes of a stored file other than weights.
    static func bytes(
        _ id: ObjectID, in source: any ObjectSource
    ) throws(EncoderError) -> [UInt8] {
        try wrapping(as: EncoderError.objects) { () throws(ObjectError) in
            try source.read(id, limit: fileLimit)
        }
    }
}
