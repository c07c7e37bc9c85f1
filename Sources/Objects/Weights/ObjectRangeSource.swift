/// Objects of which a part can be read without the rest.
public protocol ObjectRangeSource: ObjectSource {
    /// The `count` bytes of an object from `offset`, fewer at its end, verified.
    ///
    /// - Throws: `missing` when there is no such object.
    func read(_ id: ObjectID, offset: Int, count: Int) throws(ObjectError) -> [UInt8]

    /// What the bytes of a range are stored as, when the range begins and ends between two stored
    /// pieces: equal lists mean equal bytes. Nil where the store cannot say.
    func pieces(of id: ObjectID, in range: Range<Int>) throws(ObjectError) -> [ObjectID]?
}

extension ObjectRangeSource {
    /// No store has to know how it cuts.
    public func pieces(of id: ObjectID, in range: Range<Int>) throws(ObjectError) -> [ObjectID]? {
        nil
    }
}

extension MemoryStore: ObjectRangeSource {
    /// See ``ObjectRangeSource``.
    public func read(_ id: ObjectID, offset: Int, count: Int) throws(ObjectError) -> [UInt8] {
        let bytes = try read(id, limit: .max)
        precondition(offset >= 0 && count >= 0, "a range begins at 0 or later")
        return Array(bytes.dropFirst(offset).prefix(count))
    }
}

extension Safetensors {
    /// Reads the header of a stored file; nil and the reason when the file is not a safetensors.
    ///
    /// - Throws: `ObjectError` when the object cannot be read.
    public static func read(
        _ id: ObjectID, in source: some ObjectRangeSource
    ) throws(ObjectError) -> Result<Safetensors, SafetensorsError> {
        guard let size = try source.size(of: id) else { throw .missing(id) }
        let prefix = try source.read(id, offset: 0, count: min(size, prefixCount))
        let length: Int
        do {
            length = try headerLength(prefix: prefix.span, fileSize: size)
        } catch {
            return .failure(error)
        }
        let header = try source.read(id, offset: prefixCount, count: length)
        return Result { () throws(SafetensorsError) in
            try Safetensors(header: header.span, fileSize: size)
        }
    }
}
