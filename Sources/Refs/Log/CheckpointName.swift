package import Objects
package import Storage

/// The name of a checkpoint: `NUMBER-SHA256.json` with the hash of its bytes, and `NUMBER-SHA256.signed.json` when
/// somebody vouches for it.
package struct CheckpointName: Hashable {
    package let number: Int
    package let hash: ObjectID
    package let isSigned: Bool

    private static let plain = ".json"
    private static let signed = ".signed.json"

    var text: String {
        "\(LogFile.padded(number))-\(hash.hex)" + (isSigned ? Self.signed : Self.plain)
    }
    package var blob: BlobName { BlobName(.checkpoints, text) }

    init(number: Int, hash: ObjectID, isSigned: Bool = false) {
        self.number = number
        self.hash = hash
        self.isSigned = isSigned
    }

    package init?(_ name: String) {
        let bytes = Array(name.utf8)
        let stem = LogFile.digits + 1 + 64
        guard bytes.count > stem, bytes[LogFile.digits] == 0x2D,
            let number = LogFile.number(bytes[..<LogFile.digits]),
            let hash = ObjectID(
                hex: String(decoding: bytes[(LogFile.digits + 1)..<stem], as: UTF8.self))
        else { return nil }
        let ending = bytes[stem...]
        let isSigned = ending.elementsEqual(Self.signed.utf8)
        guard isSigned || ending.elementsEqual(Self.plain.utf8) else { return nil }
        self.init(number: number, hash: hash, isSigned: isSigned)
    }
}
