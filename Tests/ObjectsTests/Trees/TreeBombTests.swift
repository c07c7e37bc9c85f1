import Objects
import Storage
import TestSupport
import Testing

/// Few trees that name each other so often that visiting every path would never end.
@Suite("Trees with exponentially many paths")
struct TreeBombTests {
    /// Levels of directories with `width` entries each, all of which are the same child; at the bottom one file.
    private static func bomb(
        levels: Int, width: Int, file: String, in store: MemoryStore
    ) throws -> ObjectID {
        let bytes = Array(file.utf8)
        var entry = (
            mode: TreeEntry.Mode.file, size: bytes.count, id: try store.write(bytes, hint: .bulk)
        )
        for _ in 0..<levels {
            let tree = try Tree(
                (0..<width).map { index in
                    TreeEntry(
                        name: try FileName("e\(index)"), mode: entry.mode, size: entry.size,
                        id: entry.id)
                })
            let id = try store.write(tree.encoded, hint: .structured)
            entry = (.directory, tree.encoded.count, id)
        }
        return entry.id
    }

    /// The bytes that an operation reads from bombs with the given numbers of levels.
    private static func work(
        levels: Int, _ body: (_ before: ObjectID, _ after: ObjectID, MemoryStore) throws -> Void
    ) throws -> Int {
        let store = MemoryStore()
        let before = try bomb(levels: levels, width: 30, file: "a", in: store)
        let after = try bomb(levels: levels, width: 30, file: "b", in: store)
        let start = store.bytesRead
        try body(before, after, store)
        return store.bytesRead - start
    }

    @Test(
        "counting, comparing and checking reads each directory once: twice the levels, twice the bytes"
    )
    func linear() throws {
        let tasks: [(ObjectID, ObjectID, MemoryStore) throws -> Void] = [
            { root, _, store in
                var census = TreeCensus(in: store)
                _ = try census.count(root)
            },
            { before, after, store in
                _ = try TreeDiff.counts(from: before, to: after, in: store)
            },
            { root, _, store in
                var walk = try TreeWalk(root, in: store, visiting: .eachDirectoryOnce)
                var count = 0
                while try walk.next() != nil { count += 1 }
                #expect(count.isMultiple(of: 30))
            },
            { root, _, store in
                #expect(throws: ObjectError.self) { try TreeWalk(root, in: store) }
            },
        ]
        for task in tasks {
            let once = try Self.work(levels: 12, task)
            let twice = try Self.work(levels: 24, task)
            #expect(once > 0)
            #expect(Double(twice) <= 2.6 * Double(once))
        }
    }

    @Test("counts include all paths, and stop at the largest integer of JSON")
    func counts() throws {
        let store = MemoryStore()
        let before = try Self.bomb(levels: 3, width: 10, file: "a", in: store)
        let after = try Self.bomb(levels: 3, width: 10, file: "b", in: store)
        var census = TreeCensus(in: store)
        #expect(try census.count(before).files == 1000)
        #expect(try census.count(before).entries == 1110)
        #expect(try TreeDiff.counts(from: before, to: after, in: store).changed == 1000)
        #expect(try TreeDiff.counts(from: nil, to: after, in: store).added == 1000)
        #expect(try TreeDiff.counts(from: before, to: nil, in: store).removed == 1000)
        let endless = try Self.bomb(levels: 40, width: 30, file: "a", in: store)
        #expect(try census.count(endless).files == JSON.largestInteger)
        #expect(
            try TreeDiff.counts(from: endless, to: before, in: store).total == JSON.largestInteger)
    }

    @Test(
        "the counts of a difference equal those of its listing", arguments: 0..<40 as Range<UInt64>)
    func differences(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let store = MemoryStore()
        func tree() throws -> ObjectID {
            var builder = TreeBuilder()
            for top in 0..<3 {
                switch Int.random(in: 0..<5, using: &random) {
                case 0: continue
                case 1:
                    builder.add(
                        try RelativePath("t\(top)"), isExecutable: false, size: top,
                        id: identity(top))
                case 2: builder.addDirectory(try RelativePath("t\(top)"))
                default:
                    for name in 0..<Int.random(in: 1..<4, using: &random) {
                        let value = Int.random(in: 0..<3, using: &random)
                        builder.add(
                            try RelativePath("t\(top)/d\(value % 2)/n\(name)"),
                            isExecutable: value == 1, size: value, id: identity(value))
                    }
                }
            }
            return try builder.write(into: store).id
        }
        let (before, after) = (try tree(), try tree())
        var listed = (added: 0, removed: 0, changed: 0)
        var diff = try TreeDiff(from: before, to: after, in: store)
        while let change = try diff.next() {
            if change.before == nil {
                listed.added += 1
            } else if change.after == nil {
                listed.removed += 1
            } else {
                listed.changed += 1
            }
        }
        let counts = try TreeDiff.counts(from: before, to: after, in: store)
        #expect(counts.added == listed.added, "seed \(seed)")
        #expect(counts.removed == listed.removed, "seed \(seed)")
        #expect(counts.changed == listed.changed, "seed \(seed)")
    }
}
