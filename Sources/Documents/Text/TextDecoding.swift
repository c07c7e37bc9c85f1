/// Decodes bytes into text; the encoding that the bytes themselves name is only a hint.
enum TextDecoding {
    /// A decoded text, and what was guessed or replaced.
    struct Decoded {
        var text: String
        var findings = Finding.List()
    }

    /// Decodes bytes in a marked, declared, recognized or guessed encoding.
    ///
    /// A byte-order mark decides, then `declared`. Without either, bytes are read as UTF-16 if almost every second byte
    /// is 0, and as UTF-8 if they have at most a few errors. Any other bytes are read in the `suggested` encoding, or
    /// in the one they resemble; where Windows-1252 was pasted into UTF-8, line by line. Each invalid sequence becomes
    /// U+FFFD. The characters U+0080 to U+009F become those of Windows-1252, as on the web.
    ///
    /// - Parameters:
    ///   - bytes: Any bytes.
    ///   - declared: The encoding that a trusted source declares, by any of its labels.
    ///   - suggested: The encoding that the bytes name themselves, such as in a `meta` element; ignored if they are
    ///     UTF-8, unless it is an ISO-2022 encoding.
    /// - Throws: If the bytes are not text, or `declared` is unknown.
    static func decode(
        _ bytes: [UInt8], declared: String? = nil, suggested: String? = nil
    ) throws(UnreadableDocument) -> Decoded {
        var result = try decodeBytes(bytes, declared: declared, suggested: suggested)
        replaceControls(in: &result)
        return result
    }

    private static func decodeBytes(
        _ bytes: [UInt8], declared: String?, suggested: String?
    ) throws(UnreadableDocument) -> Decoded {
        for mark in ByteOrderMark.allCases where bytes.starts(with: mark.bytes) {
            let content = bytes.dropFirst(mark.bytes.count)
            return mark == .utf8
                ? lenient(content) : convert(content, from: mark.rawValue, isGuess: false)
        }
        if let declared { return try read(bytes, declared: declared) }
        if bytes.contains(0) {
            guard let order = Self.byteOrder(of: bytes) else {
                return try withoutNUL(bytes, suggested: suggested)
            }
            var result = convert(bytes[...], from: order.rawValue, isGuess: false)
            result.findings.add(
                .guessed, "encoding", 1, "encodings",
                detail: "\(order.rawValue) without a byte-order mark")
            return result
        }
        // Escape sequences switch character sets in bytes that are all ASCII.
        if let suggested, suggested.lowercased().hasPrefix("iso-2022"), bytes.contains(0x1B),
            CharacterSet(label: suggested) != nil
        {
            return convert(bytes[...], from: suggested, isGuess: false)
        }
        if let text = String(validating: bytes, as: UTF8.self) { return Decoded(text: text) }
        guard !isBinary(bytes) else { throw UnreadableDocument("is not text") }
        return guess(bytes, suggested: suggested)
    }

    /// Whether more than 1% of the bytes, which are not UTF-8, are control characters that legacy text does not use.
    private static func isBinary(_ bytes: [UInt8]) -> Bool {
        let controls = bytes.count { byte in
            byte < 0x20 && !(0x09...0x0D).contains(byte) && byte != 0x1B || byte == 0x7F
        }
        return 100 * controls > bytes.count
    }

    /// Reads text with a few stray NUL bytes, which become U+FFFD as in browsers.
    private static func withoutNUL(
        _ bytes: [UInt8], suggested: String?
    ) throws(UnreadableDocument) -> Decoded {
        let count = bytes.count { $0 == 0 }
        guard 100 * count <= bytes.count else {
            throw UnreadableDocument("is not text: it contains NUL bytes")
        }
        let marked = bytes.flatMap { $0 == 0 ? Array("\u{FFFD}".utf8) : [$0] }
        var result = try decodeBytes(marked, declared: nil, suggested: suggested)
        result.findings.add(.replaced, "NUL", count, "bytes")
        return result
    }

    private static func read(
        _ bytes: [UInt8], declared: String
    ) throws(UnreadableDocument) -> Decoded {
        guard let set = CharacterSet(label: declared) else {
            throw UnreadableDocument("is declared as \(declared), which is not a known encoding")
        }
        guard set.isWide || !bytes.contains(0) else {
            throw UnreadableDocument("is not text: it contains NUL bytes")
        }
        return set.isUTF8
            ? lenient(bytes[...]) : convert(bytes[...], from: declared, isGuess: false)
    }

    // MARK: - Guessing

    /// Decodes bytes that are not, or not entirely, UTF-8.
    private static func guess(_ bytes: [UInt8], suggested: String?) -> Decoded {
        let census = UTF8Census(bytes)
        // A truncated character or a stray byte does not make it another encoding.
        if census.invalid <= max(1, census.valid / 10), census.valid > 0 {
            return lenient(bytes[...])
        }
        // Quotation marks and dashes of Windows-1252, pasted into UTF-8.
        if census.invalid == census.controls, census.invalid <= 4 * census.valid {
            return lenient(bytes[...])
        }
        // Bytes of other encodings are seldom valid UTF-8 by chance, and whole lines hardly ever.
        if census.valid >= census.invalid { return mixed(bytes) }
        if let suggested, let set = CharacterSet(label: suggested), !set.isUTF8, !set.isWide {
            return convert(bytes[...], from: suggested, isGuess: false)
        }
        if isJoined(bytes) { return mixed(bytes) }
        let found = EncodingDetector.detect(bytes)
        var result = convert(bytes[...], from: found.label, isGuess: true)
        result.findings.add(
            .guessed, "encoding", 1, "encodings",
            detail: "\(found.label), confidence \(found.confidence)")
        return result
    }

    /// Decodes files with mixed encodings: a line is Windows-1252 if none of its non-ASCII bytes are UTF-8.
    private static func mixed(_ bytes: [UInt8]) -> Decoded {
        var result = Decoded(text: "")
        var lines = 0
        forEachLine(of: bytes) { line in
            if let text = String(validating: line, as: UTF8.self) {
                result.text += text
            } else if UTF8Census(line).valid > 0 {
                let read = lenient(line)
                result.text += read.text
                result.findings.add(read.findings)
            } else {
                result.text += windows1252(line)
                lines += 1
            }
        }
        result.findings.add(
            .guessed, "encoding", lines, "lines", detail: "windows-1252 within UTF-8")
        return result
    }

    /// Whether at least a third of the non-ASCII lines, and more than one, are UTF-8.
    private static func isJoined(_ bytes: [UInt8]) -> Bool {
        var (good, bad) = (0, 0)
        forEachLine(of: bytes) { line in
            guard line.contains(where: { $0 >= 0x80 }) else { return }
            if String(validating: line, as: UTF8.self) == nil { bad += 1 } else { good += 1 }
        }
        return good > 1 && 2 * good >= bad
    }

    private static func forEachLine(of bytes: [UInt8], _ body: (ArraySlice<UInt8>) -> Void) {
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0A).map { $0 + 1 } ?? bytes.count
            body(bytes[start..<end])
            start = end
        }
    }

    /// Detects UTF-16 without a byte-order mark: over 80% of the bytes at even offsets are 0 and none at odd offsets,
    /// or the other way round.
    private static func byteOrder(of bytes: [UInt8]) -> ByteOrderMark? {
        let head = bytes.prefix(4096)
        guard head.count >= 4 else { return nil }
        var zeros = (0, 0)
        for (index, byte) in head.enumerated() where byte == 0 {
            if index % 2 == 0 { zeros.0 += 1 } else { zeros.1 += 1 }
        }
        let most = head.count / 2 * 8 / 10
        if zeros.0 > most, zeros.1 == 0 { return .utf16BigEndian }
        if zeros.1 > most, zeros.0 == 0 { return .utf16LittleEndian }
        return nil
    }

    // MARK: - Decoding

    /// Decodes UTF-8 with errors: single bytes from 0x80 to 0x9F are read as Windows-1252, and each other invalid
    /// sequence becomes U+FFFD.
    private static func lenient(_ bytes: ArraySlice<UInt8>) -> Decoded {
        if let text = String(validating: bytes, as: UTF8.self) { return Decoded(text: text) }
        var scalars = String.UnicodeScalarView()
        var (replaced, read) = (0, 0)
        var parser = Unicode.UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        var rest = bytes
        parsing: while true {
            switch parser.parseScalar(from: &iterator) {
            case .valid(let encoded):
                scalars.append(Unicode.UTF8.decode(encoded))
                rest = rest.dropFirst(encoded.count)
            case .error(let length):
                if length == 1, let byte = rest.first, (0x80..<0xA0).contains(byte) {
                    scalars.append(windows1252[Int(byte - 0x80)])
                    read += 1
                } else {
                    scalars.append("\u{FFFD}")
                    replaced += 1
                }
                rest = rest.dropFirst(length)
            case .emptyInput: break parsing
            }
        }
        var result = Decoded(text: String(scalars))
        result.findings.add(.replaced, "bad UTF-8", replaced, "byte sequences")
        result.findings.add(
            .replaced, "C1 controls", read, "characters", detail: "read as windows-1252")
        return result
    }

    private static func convert(
        _ bytes: ArraySlice<UInt8>, from label: String, isGuess: Bool
    ) -> Decoded {
        guard let set = CharacterSet(label: label), set.name != CharacterSet.windows1252 else {
            return Decoded(text: windows1252(bytes))
        }
        let converted = set.text(of: bytes)
        var result = Decoded(text: converted.text)
        result.findings.add(
            .replaced, isGuess ? "bytes of another encoding" : "bad bytes", converted.replaced,
            "byte sequences", detail: label)
        return result
    }

    /// Decodes Windows-1252, in which 0x80 to 0x9F are printable.
    static func windows1252(_ bytes: some Sequence<UInt8>) -> String {
        var scalars = String.UnicodeScalarView()
        for byte in bytes {
            if (0x80..<0xA0).contains(byte) {
                scalars.append(windows1252[Int(byte - 0x80)])
            } else {
                scalars.append(Unicode.Scalar(byte))
            }
        }
        return String(scalars)
    }

    /// The characters of 0x80 to 0x9F; U+FFFD where undefined.
    private static let windows1252 = Array(
        "€\u{FFFD}‚ƒ„…†‡ˆ‰Š‹Œ\u{FFFD}Ž\u{FFFD}\u{FFFD}‘’“”•–—˜™š›œ\u{FFFD}žŸ".unicodeScalars)

    /// Replaces U+0080 to U+009F with their Windows-1252 characters.
    private static func replaceControls(in decoded: inout Decoded) {
        decoded.text.makeContiguousUTF8()
        let bytes = decoded.text.utf8.span
        var count = 0
        for index in bytes.indices.dropFirst()
        where bytes[index - 1] == 0xC2 && (0x80..<0xA0).contains(bytes[index]) { count += 1 }
        guard count > 0 else { return }
        var scalars = String.UnicodeScalarView()
        for scalar in decoded.text.unicodeScalars {
            scalars.append(
                (0x80..<0xA0).contains(scalar.value)
                    ? windows1252[Int(scalar.value - 0x80)] : scalar)
        }
        decoded.text = String(scalars)
        decoded.findings.add(
            .replaced, "C1 controls", count, "characters", detail: "read as windows-1252")
    }
}

/// A byte-order mark, with the encoding it announces.
private enum ByteOrderMark: String, CaseIterable {
    case utf8 = "utf-8"
    // Before UTF-16, whose mark is a prefix of this one.
    case utf32LittleEndian = "utf-32le"
    case utf32BigEndian = "utf-32be"
    case utf16LittleEndian = "utf-16le"
    case utf16BigEndian = "utf-16be"

    var bytes: [UInt8] {
        switch self {
        case .utf8: [0xEF, 0xBB, 0xBF]
        case .utf32LittleEndian: [0xFF, 0xFE, 0, 0]
        case .utf32BigEndian: [0, 0, 0xFE, 0xFF]
        case .utf16LittleEndian: [0xFF, 0xFE]
        case .utf16BigEndian: [0xFE, 0xFF]
        }
    }
}

/// Counts the non-ASCII characters in bytes read as UTF-8, and the invalid sequences.
struct UTF8Census {
    private(set) var valid = 0
    private(set) var invalid = 0
    /// The invalid sequences that are one byte from 0x80 to 0x9F.
    private(set) var controls = 0

    init(_ bytes: some Collection<UInt8>) {
        var decoder = Unicode.UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        var at = bytes.startIndex
        while true {
            switch decoder.parseScalar(from: &iterator) {
            case .valid(let scalar):
                if scalar.count > 1 { valid += 1 }
                at = bytes.index(at, offsetBy: scalar.count)
            case .error(let length):
                invalid += 1
                if length == 1, (0x80..<0xA0).contains(bytes[at]) { controls += 1 }
                at = bytes.index(at, offsetBy: length)
            case .emptyInput: return
            }
        }
    }
}
