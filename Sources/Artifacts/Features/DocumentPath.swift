internal import Objects

/// How a document is named in rows: its path, with what a row's key gives another meaning spelled `%XX`.
public enum DocumentPath {
    /// Row keys have a limit, and a section's anchor and an ordinal follow the path in them.
    public static let byteLimit = 700

    /// Spells `#`, `%` and control characters as `%XX`; nil when the result is too long.
    public static func encode(_ path: String) -> String? {
        var bytes: [UInt8] = []
        for scalar in path.unicodeScalars {
            let encoded = UTF8.encode(scalar).map(Array.init) ?? []
            if scalar == "#" || scalar == "%" || scalar.properties.generalCategory == .control {
                for byte in encoded {
                    bytes += Array("%\(Hexadecimal.encode([byte]).uppercased())".utf8)
                }
            } else {
                bytes += encoded
            }
        }
        return bytes.count <= byteLimit ? String(decoding: bytes, as: UTF8.self) : nil
    }
}
