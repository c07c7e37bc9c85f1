/// Checks keys that were read, of which nothing is known.
enum TableKeyCheck {
    /// Why the bytes in `range` of `bytes`, which are `key`, are no key, or nil.
    static func problem(_ key: Span<UInt8>, in bytes: [UInt8], _ range: Range<Int>) -> String? {
        if let reason = EncodedTableRow.keyProblem(key) { return reason }
        for index in key.indices where key[index] >= 0x80 {
            return String(validating: bytes[range], as: UTF8.self) == nil
                ? "is not valid UTF-8" : nil
        }
        return nil
    }
}
