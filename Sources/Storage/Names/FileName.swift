// Only this gives the normal form without Foundation.
@_spi(_Unicode) internal import Swift

/// A name of one file or directory that means the same on every platform and escapes nowhere.
///
/// Names are compared by their bytes. This is the one check of names: for what is stored, what is
/// read back, and what is written out.
public struct FileName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The name in UTF-8, 1 to 255 bytes.
    public let bytes: [UInt8]

    /// The most bytes that a file system gives a name.
    public static let byteLimit = 255

    /// Checks a name.
    ///
    /// - Throws: ``FileNameError``, which says what is wrong with it.
    public init(_ bytes: [UInt8]) throws(FileNameError) {
        if let reason = Self.problem(in: bytes) {
            throw FileNameError(name: bytes, reason: reason)
        }
        self.bytes = bytes
    }

    /// Checks a name.
    ///
    /// - Throws: ``FileNameError``, which says what is wrong with it.
    public init(_ text: String) throws(FileNameError) {
        try self.init(Array(text.utf8))
    }

    /// The name as text.
    public var description: String { String(decoding: bytes, as: UTF8.self) }

    /// What the name is on a file system that ignores case: two names with equal foldings, as Swift
    /// compares strings, cannot lie in one directory there.
    public var folded: String {
        guard !bytes.allSatisfy({ $0 < 0x80 }) else { return description.lowercased() }
        // Two letters whose lower case is their own, though their upper case is another's.
        var text = ""
        for scalar in description.lowercased().unicodeScalars {
            switch scalar {
            case "\u{3C2}": text.unicodeScalars.append("\u{3C3}")
            case "\u{17F}": text.unicodeScalars.append("s")
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// Whether the name is its own ``folded`` form, which is quick to see for small letters of ASCII; false says
    /// nothing.
    public var isFolded: Bool { bytes.allSatisfy { $0 < 0x80 && !(0x41...0x5A ~= $0) } }

    /// Orders names as their bytes.
    public static func < (left: FileName, right: FileName) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }

    private static func problem(in bytes: [UInt8]) -> String? {
        guard !bytes.isEmpty else { return "it is empty" }
        guard bytes.count <= byteLimit else { return "it has more than \(byteLimit) bytes" }
        var isASCII = true
        for byte in bytes {
            switch byte {
            case 0x00...0x1F, 0x7F: return "it contains a control character"
            case UInt8(ascii: "/"), UInt8(ascii: "\\"): return "it holds a path separator"
            case UInt8(ascii: ":"): return "it holds a colon"
            case 0x80...: isASCII = false
            default: break
            }
        }
        if bytes == [0x2E] || bytes == [0x2E, 0x2E] { return "it names a directory above" }
        if bytes.last == 0x20 || bytes.last == 0x2E { return "it ends with a dot or a space" }
        guard isASCII else { return problemBeyondASCII(in: bytes) }
        return reserved(bytes.map { 0x41...0x5A ~= $0 ? $0 + 0x20 : $0 })
    }

    private static func problemBeyondASCII(in bytes: [UInt8]) -> String? {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            return "it is not valid UTF-8"
        }
        for scalar in text.unicodeScalars {
            let properties = scalar.properties
            switch properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator:
                return "it contains a control character"
            case .format: return "it holds an invisible formatting character"
            default: break
            }
            if properties.isDefaultIgnorableCodePoint || properties.isNoncharacterCodePoint {
                return "it holds an invisible character"
            }
        }
        // Compared scalar by scalar: as strings, both forms are equal.
        guard text._nfc.elementsEqual(text.unicodeScalars) else {
            return "it is not in Unicode's normal form C"
        }
        // Upper case first joins letters such as the dotless i with those that they may pass for.
        return reserved(Array(text.uppercased().lowercased().utf8))
    }

    /// Why a folded name may not be used, if it is one of those that a tool or a platform reserves.
    private static func reserved(_ name: [UInt8]) -> String? {
        for tool in tools {
            let short = tool.short
            let isShort =
                name.starts(with: short) && name.count > short.count
                && name[short.count...].allSatisfy { 0x30...0x39 ~= $0 }
            if isShort || name == tool.hidden {
                return "it is reserved for the directory .\(tool.name)"
            }
        }
        var stem = name.prefix { $0 != 0x2E }
        while stem.last == 0x20 { stem.removeLast() }
        return isDevice(stem) ? "it is a device on some platforms" : nil
    }

    private struct Tool {
        let name: String
        let hidden: [UInt8]
        /// How some platforms shorten the name, without the number.
        let short: [UInt8]

        init(_ name: String) {
            self.name = name
            hidden = Array(".\(name)".utf8)
            short = Array("\(name)~".utf8)
        }
    }

    private static let tools = [Tool("fti"), Tool("git")]
    private static let devices = ["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"].map {
        Array($0.utf8)
    }
    private static let ports = ["com", "lpt"].map { Array($0.utf8) }

    private static func isDevice(_ stem: ArraySlice<UInt8>) -> Bool {
        for device in devices where stem.elementsEqual(device) { return true }
        guard ports.contains(where: { stem.starts(with: $0) }) else { return false }
        let number = stem.dropFirst(3)
        if number.count == 1, let digit = number.first { return 0x30...0x39 ~= digit }
        return ["\u{B9}", "\u{B2}", "\u{B3}"].contains { number.elementsEqual($0.utf8) }
    }
}
