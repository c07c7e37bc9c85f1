<<<<<<< HEAD:Sources/CommandSupport/Base64.swift
/// Base64 (RFC 4648, section 4).
public enum Base64 {
=======
/// The Base64 encoding of bytes (RFC 4648, section 4).
package enum Base64 {
>>>>>>> wt-pipelines:Sources/Objects/Format/Base64.swift
    private static let letters = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Encodes bytes, with padding.
<<<<<<< HEAD:Sources/CommandSupport/Base64.swift
    public static func encode(_ bytes: [UInt8]) -> String {
=======
    package static func encode(_ bytes: [UInt8]) -> String {
>>>>>>> wt-pipelines:Sources/Objects/Format/Base64.swift
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits = 0
            for index in start..<start + 3 {
                bits = bits << 8 | (index < group.endIndex ? Int(group[index]) : 0)
            }
            for position in 0..<4 {
                let isPadding = position > group.count
                text.append(
                    isPadding ? UInt8(ascii: "=") : letters[bits >> (18 - 6 * position) & 63])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
