internal import Storage

extension ChunkPlan {
    /// The plan that fits what the bytes turn out to be; a file's name plays no part, so equal bytes are
    /// always cut alike.
    init(for source: any Blob) throws(ObjectError) {
        let boundaries = try Self.tensorBoundaries(of: source)
        if boundaries.isEmpty { self.init() } else { self.init(boundaries: boundaries) }
    }

    /// Where the tensors of a safetensors file begin; empty for anything else, also for a malformed one,
    /// which is stored like any other bytes.
    private static func tensorBoundaries(of source: any Blob) throws(ObjectError) -> [Int] {
        let prefixCount = Safetensors.prefixCount
        guard source.size > prefixCount else { return [] }
        do throws(StorageError) {
            let prefix = try source.read(at: 0, count: prefixCount + 1)
            guard prefix[prefixCount] == UInt8(ascii: "{"),
                let length = try? Safetensors.headerLength(
                    prefix: prefix.span, fileSize: source.size)
            else { return [] }
            let header = try source.read(at: prefixCount, count: length)
            return (try? Safetensors(header: header.span, fileSize: source.size))?.boundaries ?? []
        } catch { throw .storage(error) }
    }
}
