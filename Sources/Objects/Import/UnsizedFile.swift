public import Storage

extension ObjectWriter {
    /// A file as bytes that can be read at any offset: itself, or a copy in scratch space of one that can only be read
    /// from its beginning to its end.
    public func readable(_ file: InputFile) throws(ObjectError) -> any Blob {
        do throws(StorageError) {
            guard try file.isUnsized() else { return file }
        } catch { throw .storage(error) }
        return try copy(file)
    }

    /// Stores a file; returns its identity and its size, and whether that is the size that it claims.
    func importFile(
        _ file: InputFile, progress: @escaping @Sendable (Int) -> Void
    ) throws(ObjectError) -> (id: ObjectID, size: Int, isAsListed: Bool) {
        let blob = try readable(file)
        do throws(ObjectError) {
            let id = try importBytes(of: blob, progress: progress)
            guard blob is InputFile else { return (id, blob.size, false) }
            do throws(StorageError) { try file.checkUnchanged() } catch { throw .storage(error) }
            return (id, blob.size, true)
        } catch .storage(.changed) where (try? file.checkUnchanged()) != nil {
            // Files of the kernel may claim a page and hold a line.
            let copy = try copy(file)
            return (try importBytes(of: copy, progress: progress), copy.size, false)
        } catch { throw error }
    }

    private func copy(_ file: InputFile) throws(ObjectError) -> any Blob {
        let scratch = try makeScratch()
        var size = 0
        try file.forEachPart { (part) throws(ObjectError) in
            size += part.count
            do throws(StorageError) { _ = try scratch.append(part) } catch {
                throw .storage(error)
            }
        } failing: {
            .storage($0)
        }
        return ScratchBlob(scratch: scratch, size: size)
    }
}

/// What was written to scratch space, to be read.
private struct ScratchBlob: Blob {
    let scratch: any StagedBlob
    let size: Int

    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        try scratch.read(at: offset, count: count)
    }
}
