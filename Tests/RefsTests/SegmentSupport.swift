@testable import Maintenance
import Objects
import Refs
import Storage
import Testing

/// A log of `count` transactions that alternately move models/a and models/b, none of them gathered.
func longLog(_ count: Int) throws -> (MemoryBucket, Repository) {
    let bucket = MemoryBucket()
    let writer = testWriter()
    let repository = try Repository.create(in: bucket, writer: writer)
    try repository.put("models/a", "models/b", text: "first", writer: writer)
    var state = try repository.state()
    for _ in 1..<count { state = try bucket.append(after: state) }
    return (bucket, repository)
}

func expectSoundLog(
    _ bucket: any Bucket, at number: Int, _ place: SourceLocation = #_sourceLocation
) throws {
    let repository = Repository(in: bucket)
    #expect(try repository.state().number == number, sourceLocation: place)
    let report = try LogVerifier(repository.log).verify()
    #expect(report.findings.isEmpty, "\(report.findings)", sourceLocation: place)
    #expect(report.entries == number + 1, sourceLocation: place)
}

/// The name of a segment.
func segmentName(_ first: Int, _ last: Int) -> BlobName {
    let names = [first, last].map { entryName($0).name.dropLast(5) }
    return BlobName(.log, "\(names[0])-\(names[1]).segment")
}

extension MemoryBucket {
    /// Appends an entry that moves models/a or models/b, without any cache.
    func append(after state: State) throws -> State {
        let entry = try nextEntry(after: state, writer: "ada@test")
        guard try create(entryName(entry.number), entry.encoded) == .created else { return state }
        return try Repository(in: self).log.refreshed(state)
    }

    /// The bytes of another entry of the same number.
    func copyAppending(after state: State, writer: String) throws -> [UInt8]? {
        try nextEntry(after: state, writer: writer).encoded
    }

    private func nextEntry(after state: State, writer: String) throws -> LogEntry {
        let name = try RefName(state.number % 2 == 0 ? "models/a" : "models/b")
        let other = ObjectID(of: Array("\(state.number)".utf8).span)
        return LogEntry(
            number: state.number + 1, previous: state.entryHash, base: state.number,
            time: state.time, writer: writer, message: "",
            nonce: RandomBits(from: { UInt64(state.number) }),
            actions: [
                .ref(
                    name, old: state.target(of: name), new: other,
                    since: state.lastTransaction(of: name))
            ])
    }
}
