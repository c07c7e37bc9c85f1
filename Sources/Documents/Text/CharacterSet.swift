internal import CUchardet
internal import Glibc

/// A character encoding, converted by the C library's `iconv`. Only this file calls `iconv`.
struct CharacterSet {
    static let windows1252 = "CP1252"

    /// Its name in `iconv`.
    let name: String

    var isUTF8: Bool { name == "UTF-8" }
    /// Whether its code units have two or four bytes.
    var isWide: Bool { name.hasPrefix("UTF-16") || name.hasPrefix("UTF-32") }

    /// Creates the encoding with a label; nil if it is unknown.
    ///
    /// Reads the web's labels as browsers do: `iso-8859-1` means its superset Windows-1252.
    init?(label: String) {
        let label = label.lowercased().filter { !$0.isWhitespace }
        guard !label.isEmpty, label.utf8.count < 64,
            label.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x2F })
        else { return nil }
        let name = Self.webNames[label] ?? label.uppercased()
        guard let descriptor = Self.open(name) else { return nil }
        iconv_close(descriptor)
        self.name = name
    }

    /// Labels that `iconv` does not know or reads differently from web browsers, with their names in `iconv`.
    private static let webNames: [String: String] = [
        "utf8": "UTF-8", "unicode-1-1-utf-8": "UTF-8", "utf-8-sig": "UTF-8",
        "utf-16": "UTF-16LE", "utf-32": "UTF-32LE",
        "iso-8859-1": windows1252, "iso8859-1": windows1252, "iso_8859-1": windows1252,
        "latin1": windows1252, "latin-1": windows1252, "l1": windows1252, "ascii": windows1252,
        "us-ascii": windows1252, "windows-1252": windows1252, "cp1252": windows1252,
        "x-cp1252": windows1252, "ansi": windows1252,
        "iso-8859-9": "CP1254", "latin5": "CP1254", "iso-8859-11": "CP874", "tis-620": "CP874",
        "windows-874": "CP874", "gb2312": "GB18030", "gbk": "GB18030", "gb_2312": "GB18030",
        "x-gbk": "GB18030", "shift_jis": "CP932", "shift-jis": "CP932", "sjis": "CP932",
        "x-sjis": "CP932", "windows-31j": "CP932", "ms_kanji": "CP932", "euc-kr": "CP949",
        "ks_c_5601-1987": "CP949", "ksc5601": "CP949", "korean": "CP949", "uhc": "CP949",
        "big5": "BIG5-HKSCS", "big5-hkscs": "BIG5-HKSCS", "x-x-big5": "BIG5-HKSCS",
        "x-mac-roman": "MACINTOSH", "mac": "MACINTOSH", "x-mac-cyrillic": "MAC-CYRILLIC",
        "mac-centraleurope": "MAC-CENTRALEUROPE", "logical": "ISO-8859-8",
    ]

    private static func open(_ name: String) -> iconv_t? {
        let descriptor = iconv_open("UTF-8", name)
        return Int(bitPattern: descriptor) == -1 ? nil : descriptor
    }

    /// Decodes bytes; each invalid sequence becomes U+FFFD and is counted.
    func text(of bytes: ArraySlice<UInt8>) -> (text: String, replaced: Int) {
        guard let descriptor = Self.open(name) else { return ("", bytes.count) }
        defer { iconv_close(descriptor) }
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + bytes.count / 2)
        var replaced = 0
        var wasReplaced = false
        var input = Array(bytes)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        input.withUnsafeMutableBytes { (input: UnsafeMutableRawBufferPointer) in
            var next: UnsafeMutablePointer<CChar>? =
                input.baseAddress?.assumingMemoryBound(to: CChar.self)
            var left = input.count
            while left > 0 {
                let before = left
                let step = Self.step(descriptor, &next, &left, &buffer)
                output += buffer[..<step.made]
                if step.made > 0 || left < before { wasReplaced = false }
                guard let problem = step.problem, problem != E2BIG else { continue }
                if !wasReplaced {
                    output += Array("\u{FFFD}".utf8)
                    replaced += 1
                    wasReplaced = true
                }
                // Input that ends in the middle of a character has no more to decode.
                guard problem == EILSEQ, left > 0 else { break }
                next = next.map { $0 + 1 }
                left -= 1
            }
        }
        return (String(decoding: output, as: UTF8.self), replaced)
    }

    /// Converts as much as fits into the buffer; returns how many bytes it wrote and why it stopped.
    private static func step(
        _ descriptor: iconv_t, _ next: inout UnsafeMutablePointer<CChar>?, _ left: inout Int,
        _ buffer: inout [UInt8]
    ) -> (made: Int, problem: Int32?) {
        let size = buffer.count
        var room = size
        let status = buffer.withUnsafeMutableBytes {
            (buffer: UnsafeMutableRawBufferPointer) -> Int in
            var end: UnsafeMutablePointer<CChar>? =
                buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            return iconv(descriptor, &next, &left, &end, &room)
        }
        return (size - room, status == -1 ? errno : nil)
    }
}

/// Guesses the encoding of undeclared bytes with uchardet, Mozilla's detector. Only this file calls uchardet.
enum EncodingDetector {
    /// An encoding, and how reliable the guess is.
    struct Guess {
        let label: String
        /// The percentage of the sample's parts that yield the same encoding on their own.
        let confidence: String
    }

    /// Larger samples do not improve the guess.
    private static let sampleSize = 256 << 10
    private static let partSize = 2048
    private static let partLimit = 16

    static func detect(_ bytes: [UInt8]) -> Guess {
        // ASCII lines carry no information, and a text may begin with many.
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
        return Guess(label: label, confidence: "\(100 * agreeing / parts.count)%")
    }

    /// Returns the detector's answer if it is plausible, or Windows-1252.
    private static func usable(_ found: String?, for bytes: [UInt8]) -> String {
        let standard = "windows-1252"
        guard let found, let set = CharacterSet(label: found), !set.isUTF8, !set.isWide,
            set.name != CharacterSet.windows1252
        else { return standard }
        // For a few bytes of Windows-1252, the detector falls back to Mac and other rare encodings. The bytes 0x80 to
        // 0x9F, unused in ISO 8859, are quotation marks and dashes of Windows-1252.
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
