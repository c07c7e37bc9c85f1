internal import CUchardet

/// What bytes without any sign are probably encoded in, by Mozilla's detector. This file is the only one
/// that calls it.
enum EncodingDetector {
    /// The encoding, and how far it can be believed.
    struct Guess {
        let label: String
        /// The share of the bytes' parts that look like it by themselves, as a percentage.
        let confidence: String
    }

    /// Larger texts do not say more.
    private static let sampleSize = 256 << 10
    private static let partSize = 2048
    private static let partLimit = 16

    /// Guesses.
    static func detect(_ bytes: [UInt8]) -> Guess {
        // Runs of ASCII say nothing, and a text may begin with much of it.
        let lines = bytes.split(separator: 0x0A).filter { $0.contains { $0 >= 0x80 } }
        var sample: [UInt8] = []
        var parts: [[UInt8]] = [[]]
        for line in lines where sample.count < sampleSize {
            sample += line
            sample.append(0x0A)
            if parts[parts.count - 1].count > partSize, parts.count < partLimit { parts.append([]) }
            parts[parts.count - 1] += line
        }
        let label = usable(charset(of: sample), for: sample)
        let agreeing = parts.count { usable(charset(of: $0), for: $0) == label }
        return Guess(label: label, confidence: "\(100 * agreeing / parts.count) %")
    }

    /// The detector's word where it makes sense, else Windows-1252.
    private static func usable(_ found: String?, for bytes: [UInt8]) -> String {
        let standard = "windows-1252"
        guard let found, let set = CharacterSet(label: found), !set.isUTF8, !set.isWide,
            set.name != CharacterSet.windows1252
        else { return standard }
        // Old sets of the Mac are the detector's last resort for a few bytes of Windows-1252; and 0x80 to
        // 0x9F, which no ISO 8859 has, are quotation marks and dashes of the same.
        let isLatin = ["mac", "iso-8859-15", "iso-8859-3", "viscii"].contains {
            found.lowercased().hasPrefix($0)
        }
        if isLatin || found.lowercased().hasPrefix("iso-8859"), hasC1(bytes) { return standard }
        return isLatin || set.text(of: bytes[...]).replaced > bytes.count / 100
            ? standard : found.lowercased()
    }

    private static func hasC1(_ bytes: [UInt8]) -> Bool {
        bytes.contains { (0x80..<0xA0).contains($0) }
    }

    private static func charset(of bytes: [UInt8]) -> String? {
        guard let detector = uchardet_new() else { return nil }
        defer { uchardet_delete(detector) }
        let isHandled = bytes.withUnsafeBytes { bytes in
            uchardet_handle_data(
                detector, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count) == 0
        }
        guard isHandled else { return nil }
        uchardet_data_end(detector)
        let name = uchardet_get_charset(detector).map { String(cString: $0) } ?? ""
        return name.isEmpty ? nil : name
    }
}
