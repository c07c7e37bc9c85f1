internal import Storage

extension CutPlan {
    /// A safetensors header of more bytes than this is not followed here: large models have some 100 kB.
    private static let headerLimit = 16 << 20
    /// Tensors smaller than this on average are not worth a piece each, nor its 100 bytes in the index, unless
    /// there are few.
    private static let smallestMean = 4 << 10
    private static let few = 64

    /// The plan that fits what the bytes turn out to be; a file's name plays no part, so equal bytes are
    /// always cut alike.
    ///
    /// A header is a hint: it decides where the file is cut and nothing else, and one that is not sound changes
    /// nothing.
    init(for source: any Blob) throws(ObjectError) {
        do throws(StorageError) {
            self = try Self.plan(for: source)
        } catch { throw .storage(error) }
    }

    private static func plan(for source: any Blob) throws(StorageError) -> CutPlan {
        guard source.size > 8 else { return CutPlan() }
        let prefix = try source.read(at: 0, count: 9)
        let boundaries: [Int]
        if prefix.starts(with: "GGUF".utf8) {
            boundaries = try GGUF(source)?.boundaries ?? []
        } else if prefix.starts(with: [0x93]) {
            guard let array = try NPY(source) else { return CutPlan() }
            // Rows come and go in an array: inside, it is cut by content.
            return CutPlan(boundaries: [array.dataOffset], byContent: true)
        } else {
            boundaries = try safetensors(source, prefix: prefix)
        }
        guard !boundaries.isEmpty, boundaries.count <= few + source.size / smallestMean
        else {
            return CutPlan()
        }
        return CutPlan(boundaries: boundaries)
    }

    /// Where the tensors of a safetensors file begin; empty for anything else, also for a malformed one,
    /// which is stored like any other bytes.
    private static func safetensors(
        _ source: any Blob, prefix: [UInt8]
    ) throws(StorageError) -> [Int] {
        let prefixCount = Safetensors.prefixCount
        guard prefix[prefixCount] == UInt8(ascii: "{"),
            let length = try? Safetensors.headerLength(prefix: prefix.span, fileSize: source.size),
            length <= headerLimit
        else { return [] }
        let header = try source.read(at: prefixCount, count: length)
        return (try? Safetensors(header: header.span, fileSize: source.size))?.boundaries ?? []
    }
}
