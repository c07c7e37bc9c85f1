import Objects
import Refs
import Storage

/// The properties of a version for a test.
struct Version {
    var kind: Snapshot.Kind
    var text: String
    var parents: [ObjectID] = []
    var inputs: [String: ObjectID] = [:]
    var metrics: [String: Double] = [:]
    var params: JSONObject = JSONObject()
    /// The name of an embedding space: the test uses an object with that text.
    var space: String?
    var files: [String: [UInt8]] = [:]

    init(
        _ kind: Snapshot.Kind, _ text: String, parents: [ObjectID] = [],
        inputs: [String: ObjectID] = [:], metrics: [String: Double] = [:], space: String? = nil,
        files: [String: [UInt8]] = [:]
    ) {
        self.kind = kind
        self.text = text
        self.parents = parents
        self.inputs = inputs
        self.metrics = metrics
        self.space = space
        self.files = files
    }

    func write(into objects: some ObjectSink) throws -> ObjectID {
        var builder = TreeBuilder()
        for (path, bytes) in files {
            let id = try objects.write(bytes, hint: .bulk)
            builder.add(try RelativePath(path), size: bytes.count, id: id)
        }
        let content = try builder.write(into: objects).content
        let space = try space.map { try objects.write(Array($0.utf8), hint: .structured) }
        let snapshot = Snapshot(
            kind: kind, content: content, parents: parents, inputs: inputs,
            producer: .init(pipeline: "test", version: "1"), params: params, metrics: metrics,
            space: space, created: epoch, message: text)
        return try objects.write(snapshot.encoded, hint: .structured)
    }
}

extension Repository {
    /// Stores a version and points a ref at it, whatever the ref's value was.
    @discardableResult
    func put(_ ref: String, _ version: Version, writer: Writer = testWriter()) throws -> ObjectID {
        let transaction = try begin(writer: writer)
        let id = try version.write(into: transaction.objects)
        _ = try transaction.commit([RefUpdate(try RefName(ref), new: id)])
        return id
    }

    /// Moves refs, as pairs of a ref and a snapshot, in one transaction.
    @discardableResult
    func move(
        _ moves: KeyValuePairs<String, ObjectID>, writer: Writer = testWriter()
    ) throws -> Commit {
        try begin(writer: writer).commit(
            try moves.map { RefUpdate(try RefName($0.key), new: $0.value) })
    }

    func target(_ ref: String) throws -> ObjectID? { try state().target(of: try RefName(ref)) }
}
