internal import Objects

/// One part of a path, which Hummingbird keeps percent-encoded.
enum PathSegment {
    /// Decodes a segment once.
    ///
    /// - Returns: Nil for a bad escape, text that is not UTF-8, a control character, a backslash, and a part `.` or
    ///   `..` between slashes (a slash may be written `%2F`).
    static func decode(_ raw: some StringProtocol) -> String? {
        guard let bytes = decodedBytes(raw) else { return nil }
        guard !bytes.isEmpty, let text = String(validating: bytes, as: UTF8.self) else {
            return nil
        }
        let isPlain = text.unicodeScalars.allSatisfy { scalar in
            scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value) && scalar != "\\"
        }
        guard isPlain else { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return parts.contains { $0 == "." || $0 == ".." } ? nil : text
    }

    /// Decodes percent-encoding; nil for a bad escape.
    static func decodedBytes(_ raw: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = raw.utf8.makeIterator()
        while let byte = rest.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.next().flatMap(digit), let low = rest.next().flatMap(digit)
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        (0x41...0x46).contains(byte) ? byte - 0x41 + 10 : Hexadecimal.value(of: byte)
    }

    /// Whether all segments of a path can be decoded.
    static func isPath(_ path: some StringProtocol) -> Bool {
        path.split(separator: "/").allSatisfy { decode($0) != nil }
    }

    /// Whether a path has `.` or `..` between slashes, however they are written.
    static func climbs(_ path: some StringProtocol) -> Bool {
        guard let bytes = decodedBytes(path) else { return false }
        let dot = UInt8(ascii: ".")
        return bytes.split { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }.contains {
            part in
            part.elementsEqual([dot]) || part.elementsEqual([dot, dot])
        }
    }
}
