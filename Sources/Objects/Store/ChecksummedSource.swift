/// A source that knows the checksums of what it stores, so that damage is found without recomputing identities.
protocol ChecksummedSource: ObjectSource {
    /// All bytes of an object as ``ObjectSource/read(_:limit:)`` gives them, except that what is stored was
    /// compared with its checksum, and its bytes not with the identity.
    ///
    /// For comparisons and counts: such bytes must not be handed out as the object's.
    func readChecksummed(_ id: ObjectID, limit: Int) throws(ObjectError) -> [UInt8]
}

extension PackStore: ChecksummedSource {
    package func readChecksummed(_ id: ObjectID, limit: Int) throws(ObjectError) -> [UInt8] {
        guard case .piece(let pack, let piece)? = try locateObject(id) else {
            return try read(id, limit: limit)
        }
        guard piece.size <= limit else { throw .tooLarge(id, size: piece.size, limit: limit) }
        return try bytes(of: id, piece, in: pack, verifying: .checksum)
    }
}
