import Storage
import Testing

// Staged blobs, and clients that race.
extension BucketRequirement {
    static let staging = [
        BucketRequirement("a staged blob can be read, and is visible only once it is published") {
            open in
            let bucket = try open()
            let staged = try bucket.stage(in: .packs)
            #expect(try staged.append([1, 2]) == 0)
            #expect(try staged.append([]) == 2)
            #expect(try staged.append([3]) == 2)
            #expect(try staged.read(at: 1, count: 2) == [2, 3])
            #expect(try staged.read(at: 3, count: 0) == [])
            let error = storageError { _ = try staged.read(at: 2, count: 2) }
            if case .truncated? = error {} else { Issue.record("\(String(describing: error))") }
            #expect(try open().list(.packs).isEmpty)
            try staged.publish(as: pack)
            #expect(try open().read(pack, limit: 3) == [1, 2, 3])
            #expect(try open().list(.packs) == [BlobEntry(name: pack.name, size: 3)])
            #expect(storageError { try staged.publish(as: pack) } != nil)
            #expect(storageError { try staged.replace(pack) } != nil)
        },
        BucketRequirement("an aligned append leaves zeros before it") { open in
            let bucket = try open()
            let staged = try bucket.stage(in: .packs)
            for (alignment, offset, gap) in [(16, 0, 0), (1, 2, 0), (16, 16, 12), (2, 18, 0)] {
                let place = try staged.append([7, 8], alignment: alignment)
                #expect(place == (offset, gap))
            }
            try staged.publish(as: pack)
            let zeros = [UInt8](repeating: 0, count: 12)
            #expect(try bucket.read(pack, limit: 99) == [7, 8, 7, 8] + zeros + [7, 8, 7, 8])
        },
        BucketRequirement("publishing under a taken name or in another folder changes nothing") {
            open in
            let bucket = try open()
            _ = try bucket.create(pack, [9])
            let staged = try bucket.stage(in: .packs)
            _ = try staged.append([1])
            #expect(storageError { try staged.publish(as: pack) }?.fault == .io)
            #expect(try bucket.read(pack, limit: 1) == [9])
            let lost = try bucket.stage(in: .packs)
            #expect(storageError { try lost.publish(as: name) }?.fault == .usage)
            #expect(storageError { try lost.replace(name) }?.fault == .usage)
            #expect(try bucket.read(name, limit: 1) == nil)
            #expect(try bucket.list(.packs).count == 1)
        },
        BucketRequirement("a staged blob can replace another blob, or be new") { open in
            let bucket = try open()
            _ = try bucket.create(pack, [9, 9, 9])
            let before = try #require(try bucket.open(pack))
            for text: [UInt8] in [[1], [2, 2], []] {
                let staged = try bucket.stage(in: .packs)
                _ = try staged.append(text)
                try staged.replace(pack)
                #expect(try open().read(pack, limit: 9) == text)
            }
            #expect(try before.read(at: 0, count: 3) == [9, 9, 9])
            let staged = try bucket.stage(in: .packs)
            _ = try staged.append([5])
            try staged.replace(BlobName(.packs, "new"))
            #expect(try bucket.read(BlobName(.packs, "new"), limit: 1) == [5])
            #expect(try bucket.list(.packs).count == 2)
        },
        BucketRequirement("an abandoned staged blob leaves nothing, and one still in use is kept") {
            open in
            let bucket = try open()
            for folder in BucketFolder.allCases {
                let running = try bucket.stage(in: folder)
                _ = try running.append([1, 2])
                do {
                    let dropped = try bucket.stage(in: folder)
                    _ = try dropped.append([3])
                }
                #expect(try open().list(folder).isEmpty)
                #expect(try open().removeAbandonedFiles() == 0)
                _ = try running.append([3])
                try running.publish(as: BlobName(folder, "blob.1"))
                #expect(try open().removeAbandonedFiles() == 0)
                #expect(try bucket.read(BlobName(folder, "blob.1"), limit: 3) == [1, 2, 3])
            }
        },
    ]

    static let races = [
        BucketRequirement("of 32 threads that create one name, exactly one wins") { open in
            let buckets = try (0..<32).map { _ in try open() }
            let results = resultsOnThreads(buckets.count) { thread in
                try buckets[thread].create(name, [UInt8(thread), 7])
            }
            let outcomes = try results.map { try $0.get() }
            let winners = outcomes.indices.filter { outcomes[$0] == .created }
            #expect(winners.count == 1 && outcomes.count == buckets.count)
            let winner = try #require(winners.first)
            #expect(try open().read(name, limit: 2) == [UInt8(winner), 7])
            #expect(try open().list(.log).count == 1)
        },
        BucketRequirement("of 16 staged blobs that are published as one name, exactly one wins") {
            open in
            let staged = try (0..<16).map { number in
                let staged = try open().stage(in: .packs)
                _ = try staged.append([UInt8(number)])
                return staged
            }
            let results = resultsOnThreads(staged.count) { try staged[$0].publish(as: pack) }
            let winners = results.indices.filter { index in
                if case .success = results[index] { true } else { false }
            }
            #expect(winners.count == 1)
            for case .failure(let error) in results {
                #expect((error as? StorageError)?.fault == .io, "\(error)")
            }
            let winner = try #require(winners.first)
            #expect(try open().read(pack, limit: 1) == [UInt8(winner)])
        },
        BucketRequirement("no append of several threads is lost or split") {
            open in
            let staged = try open().stage(in: .packs)
            let (threads, appends) = (8, 40)
            func bytes(_ index: Int) -> [UInt8] {
                [UInt8](repeating: UInt8(index % 251), count: 1 + index)
            }
            let results = resultsOnThreads(threads) { thread in
                try (thread * appends..<(thread + 1) * appends).map { index in
                    try staged.append([UInt8](repeating: UInt8(index % 251), count: 1 + index))
                }
            }
            let offsets = try results.flatMap { try $0.get() }
            try staged.publish(as: pack)
            let blob = try #require(try open().open(pack))
            #expect(offsets.count == threads * appends)
            #expect(blob.size == offsets.indices.reduce(0) { $0 + 1 + $1 })
            for (index, offset) in offsets.enumerated() {
                #expect(try blob.read(at: offset, count: 1 + index) == bytes(index))
            }
        },
        BucketRequirement("a reader of a blob that is replaced gets the old or the new one, whole")
        { open in
            let hint = BlobName(.checkpoints, "state")
            try open().replace(hint, [UInt8](repeating: 0, count: 4000))
            let results = resultsOnThreads(4) { thread -> Int in
                let bucket = try open()
                for round in 1...50 {
                    if thread == 0 {
                        let bytes = [UInt8](repeating: UInt8(round), count: 4000 + round)
                        try bucket.replace(hint, bytes)
                    } else {
                        let bytes = try bucket.read(hint, limit: 5000) ?? []
                        let isWhole = Set(bytes).count == 1 && bytes.count == 4000 + Int(bytes[0])
                        if !isWhole { return round }
                    }
                }
                return 0
            }
            #expect(try results.map { try $0.get() } == [0, 0, 0, 0])
        },
    ]
}
