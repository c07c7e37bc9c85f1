/// Private keys as text: what stands between dashes above and below them (RFC 7468, RFC 4716, RFC 9580).
enum PrivateKeyText {
    /// The most words of a label, as in `BEGIN SSH2 ENCRYPTED PRIVATE KEY`.
    private static let wordLimit = 6

    /// The private key whose label begins behind some dashes; nil when there is none.
    static func match(_ bytes: [UInt8], dashes: Range<Int>) -> Secrets.Match? {
        guard dashes.count > 1, let end = labelEnd(bytes, at: dashes.upperBound) else { return nil }
        // The key goes as far as its other label, or nobody knows how far.
        var last = bytes.count
        var index = end
        while index < bytes.count {
            let dashes = bytes[index...].prefix { $0 == UInt8(ascii: "-") }
            if dashes.count > 1, let other = labelEnd(bytes, at: dashes.endIndex) {
                last = other + bytes[other...].prefix { $0 == UInt8(ascii: "-") }.count
                break
            }
            index += max(1, dashes.count)
        }
        return Secrets.Match(name: "-----BEGIN", range: dashes.lowerBound..<last)
    }

    /// Where `BEGIN ... PRIVATE KEY` ends, or `END ... PRIVATE KEY`, in capital or small letters; nil when something
    /// else stands there.
    private static func labelEnd(_ bytes: [UInt8], at start: Int) -> Int? {
        var index = start
        var before = ""
        for position in 0..<wordLimit {
            index += bytes[index...].prefix { $0 == 0x20 || (0x09...0x0D).contains($0) }.count
            let letters = bytes[index...].prefix(while: SecretShape.isAlphanumeric)
            let word = String(decoding: letters, as: UTF8.self).uppercased()
            if position == 0, word != "BEGIN", word != "END" { return nil }
            guard !word.isEmpty else { return nil }
            index = letters.endIndex
            if word == "KEY", before == "PRIVATE" { return index }
            before = word
        }
        return nil
    }
}
