public import Storage

extension ObjectWriter {
    /// Stores the files that a walk found, and the trees that list them.
    ///
    /// Reads files on as many threads as there are processors; memory does not grow with their sizes.
    ///
    /// - Parameters:
    ///   - cache: Which objects files were before. A file that it knows, and whose object the repository has with
    ///     all its pieces, is not opened; files that are read are added to it.
    ///   - progress: Called, from any thread, with the number of bytes just processed.
    /// - Throws: `storage` when a file cannot be read, or changes while it is read; `invalid` when the files do
    ///   not form a tree.
    public func importTree(
        _ walk: InputListing, cache: StatCache? = nil,
        progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws(ObjectError) -> TreeSummary {
        let entries = walk.entries
        var files = [ImportedFile?](repeating: nil, count: entries.count)
        if let cache { files = try knownFiles(entries, cache, progress: progress) }
        let unknown = entries.indices.filter { files[$0] == nil && !entries[$0].isDirectory }
        let imported = try Threads.map(unknown, threads: Threads.available, group: 1) {
            (index) throws(ObjectError) in
            let entry = entries[index]
            let file = try inStorage(entry.open())
            let (id, size, isAsListed) = try self.importFile(file, progress: progress)
            if isAsListed { cache?.add(id, of: file.version, at: entry.absolutePath) }
            return ImportedFile(id: id, size: size, isExecutable: file.isExecutable)
        }
        for (index, file) in zip(unknown, imported) { files[index] = file }
        var builder = TreeBuilder()
        for (entry, file) in zip(entries, files) {
            guard let file else {
                builder.addDirectory(entry.path)
                continue
            }
            builder.add(entry.path, isExecutable: file.isExecutable, size: file.size, id: file.id)
        }
        return try builder.write(into: self)
    }

    /// The files that are stored already, found without opening them: the cache knows their objects, and the
    /// repository has these with all their pieces. Nil for other entries.
    private func knownFiles(
        _ entries: [InputEntry], _ cache: StatCache, progress: @escaping @Sendable (Int) -> Void
    ) throws(ObjectError) -> [ImportedFile?] {
        // Long spans, so that threads seldom contend for the writer's lock.
        let spans = stride(from: 0, to: entries.count, by: 512).map {
            $0..<min($0 + 512, entries.count)
        }
        let found = try Threads.map(spans, threads: Threads.available, group: 1) {
            (span) throws(ObjectError) in
            var packs: Set<ObjectID> = []
            var files: [ImportedFile?] = []
            files.reserveCapacity(span.count)
            for entry in entries[span] {
                // A file that claims to be empty is read, because files of the kernel make that claim falsely.
                guard let version = entry.version, version.size > 0,
                    let id = cache.id(of: version, at: entry.absolutePath),
                    try self.holds(id, size: version.size, packs: &packs)
                else {
                    files.append(nil)
                    continue
                }
                files.append(
                    ImportedFile(id: id, size: version.size, isExecutable: version.isExecutable))
            }
            let known = files.compactMap(\.self)
            let bytes = known.reduce(0) { $0 + $1.size }
            self.count(objects: known.count, rawBytes: bytes)
            self.rely(on: packs)
            progress(bytes)
            return files
        }
        return Array(found.joined())
    }

    /// Whether the repository has an object of this size with all its pieces; adds the packs that it needs to `packs`.
    private func holds(
        _ id: ObjectID, size: Int, packs: inout Set<ObjectID>
    ) throws(ObjectError) -> Bool {
        guard let location = try existing.locateObject(id),
            try existing.size(at: location) == size
        else { return false }
        // By far the most frequent case; it needs no set of its own.
        if case .piece(let pack, let piece) = location, piece.codec != .delta {
            packs.insert(pack.reference.name)
            return true
        }
        guard let needed = try existing.packsNeeded(for: location) else { return false }
        packs.formUnion(needed)
        return true
    }
}

/// The object and the properties of a file that is stored.
private struct ImportedFile {
    let id: ObjectID
    let size: Int
    let isExecutable: Bool
}
