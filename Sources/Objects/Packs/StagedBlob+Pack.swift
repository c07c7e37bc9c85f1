internal import Storage

extension StagedBlob {
    /// Ends a pack with its index and publishes it, durably; gives what the log must say of it.
    func publishPack(
        pieces: [ObjectID: PackFooter.Piece], recipes: [ObjectID: PackFooter.Recipe]
    ) throws(StorageError) -> PackReference {
        let footer = PackFooter.encode(
            pieces: pieces, recipes: recipes, nonce: try randomBytes(PackFooter.nonceSize))
        let offset = try append(footer)
        let reference = PackReference(
            name: ObjectID(of: footer.span), size: offset + footer.count, indexOffset: offset)
        try publish(as: reference.blobName)
        return reference
    }
}
