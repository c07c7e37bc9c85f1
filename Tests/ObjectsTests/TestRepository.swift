import Objects
import Storage
import Testing

/// A bucket in memory and its finished packs, as a log would list them.
struct TestRepository {
    let bucket = MemoryBucket()
    var packs: [PackReference] = []

    var store: PackStore { PackStore(bucket: bucket, packs: packs) }

    var writer: ObjectWriter { ObjectWriter(bucket: bucket, existing: store) }

    /// Writes in one pack, which is then live; returns what `write` returns.
    mutating func commit<Value>(_ write: (ObjectWriter) throws -> Value) throws -> Value {
        let writer = writer
        let value = try write(writer)
        if let pack = try writer.finish() { packs.append(pack) }
        return value
    }

    /// The bytes of a pack's file.
    func bytes(of pack: PackReference) throws -> [UInt8] {
        try #require(try bucket.read(BlobName(.packs, pack.name.hex), limit: .max))
    }

    /// A store in which one pack's file has other bytes.
    static func store(_ bytes: [UInt8], as pack: PackReference) throws -> PackStore {
        let bucket = MemoryBucket()
        _ = try bucket.create(BlobName(.packs, pack.name.hex), bytes)
        return PackStore(bucket: bucket, packs: [pack])
    }
}
