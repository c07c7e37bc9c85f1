internal import Objects

/// One part of a path, which Hummingbird keeps percent-encoded.
enum PathSegment {
    /// Decodes a segment once.
    ///
    /// - Returns: Nil for a bad escape, text that is not UTF-8, a control character, a backslash, and a part `.` or
    ///   `..` between slashes (a slash may be written `%2F`).
    static func decode(_ raw: some StringProtocol) -> String? {
        guard let bytes = PercentEncoding.bytes(raw) else { return nil }
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

    /// Whether all segments of a path can be decoded.
    static func isPath(_ path: some StringProtocol) -> Bool {
        path.split(separator: "/").allSatisfy { decode($0) != nil }
    }

    /// Whether a path has `.` or `..` between slashes, however they are written.
    static func climbs(_ path: some StringProtocol) -> Bool {
        guard let bytes = PercentEncoding.bytes(path) else { return false }
        let dot = UInt8(ascii: ".")
        return bytes.split { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }.contains {
            part in
            part.elementsEqual([dot]) || part.elementsEqual([dot, dot])
        }
    }
}

/// Percent-encoding, as in paths, queries and forms (RFC 3986, section 2.1).
public enum PercentEncoding {
    /// Encodes everything but letters, digits and `-._~`.
    public static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += "%" + Hexadecimal.encode([byte]).uppercased()
            }
        }
        return result
    }

    /// Decodes text; nil for a bad escape, or unless the result is UTF-8.
    public static func decoded(_ text: some StringProtocol) -> String? {
        bytes(text).flatMap { String(validating: $0, as: UTF8.self) }
    }

    /// Decodes text to bytes; nil for a bad escape.
    static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = text.utf8.makeIterator()
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
}
