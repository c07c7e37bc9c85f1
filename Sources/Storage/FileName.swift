// For `_nfc`: the standard library normalizes text only through this interface.
@_spi(_Unicode) internal import Swift

/// The name of a file or directory, valid on every platform and unable to escape its directory.
///
/// Names compare by their bytes. The same check applies when names are stored, read back and written out.
public struct FileName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The name in UTF-8, 1 to 255 bytes.
    public let bytes: [UInt8]

    /// The longest name that file systems accept, in bytes.
    public static let byteLimit = 255

    /// Checks a name; throws the reason why it is not valid.
    public init(_ bytes: [UInt8]) throws(FileNameError) {
        if let reason = Self.problem(in: bytes) {
            throw FileNameError(name: bytes, reason: reason)
        }
        self.bytes = bytes
    }

    /// Checks a name; throws the reason why it is not valid.
    public init(_ text: String) throws(FileNameError) {
        try self.init(Array(text.utf8))
    }

    /// The name as text.
    public var description: String { String(decoding: bytes, as: UTF8.self) }

    /// The name as a file system that ignores case sees it. Two names with equal foldings, as Swift compares strings,
    /// cannot share a directory on such a file system.
    public var folded: String {
        guard !bytes.allSatisfy({ $0 < 0x80 }) else { return description.lowercased() }
        // These lowercase letters share their uppercase letter with another lowercase letter.
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

    /// Whether the name certainly equals its ``folded`` form, as ASCII without capital letters does. False proves
    /// nothing.
    public var isFolded: Bool { bytes.allSatisfy { $0 < 0x80 && !(0x41...0x5A ~= $0) } }

    /// Orders names by their bytes.
    public static func < (left: FileName, right: FileName) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }

    private static func problem(in bytes: [UInt8]) -> String? {
        guard !bytes.isEmpty else { return "it is empty" }
        guard bytes.count <= byteLimit else { return "it has more than \(byteLimit) bytes" }
        var isASCII = true
        for byte in bytes {
            switch byte {
            case 0x00...0x1F, 0x7F: return "it holds a control character"
            case UInt8(ascii: "/"), UInt8(ascii: "\\"): return "it holds a path separator"
            case UInt8(ascii: ":"): return "it holds a colon"
            case 0x80...: isASCII = false
            default: break
            }
        }
        if bytes == [0x2E] || bytes == [0x2E, 0x2E] {
            return "it names the directory itself or the one above"
        }
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
                return "it holds a control character"
            case .format: return "it holds an invisible formatting character"
            default: break
            }
            if properties.isDefaultIgnorableCodePoint || properties.isNoncharacterCodePoint {
                return "it holds an invisible character"
            }
        }
        // Compare scalars: as strings, both forms are equal.
        guard text._nfc.elementsEqual(text.unicodeScalars) else {
            return "it is not in Unicode's normal form C"
        }
        // Uppercasing first maps lookalikes such as the dotless i to the letter that they imitate.
        return reserved(Array(text.uppercased().lowercased().utf8))
    }

    /// Why a folded name is reserved for a tool or a platform; nil when it is not.
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

    /// The tools whose directories are reserved, with the 8.3 short name of each directory (`GIT~1`) without its
    /// number.
    private static let tools = ["fti", "git"].map { name in
        (name: name, hidden: Array(".\(name)".utf8), short: Array("\(name)~".utf8))
    }
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

/// A name that no file may have, and why.
public struct FileNameError: Diagnosable, Hashable {
    /// The rejected name.
    public let name: [UInt8]
    /// The reason, as a clause that calls the name "it".
    public let reason: String

    /// See ``Diagnosable``.
    public var fault: Fault { .usage }

    /// See ``Diagnosable``.
    public var message: String { "\(quoted) cannot be a file name: \(reason)" }

    /// See ``Diagnosable``.
    public var remedy: String? { "rename the file" }

    /// The first 256 bytes of the name in quotes. A backslash precedes quotes and backslashes; `\xNN` stands for any
    /// byte other than printable ASCII.
    public var quoted: String {
        var text = "\""
        for byte in name.prefix(FileName.byteLimit + 1) {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                text += "\\" + String(decoding: [byte], as: UTF8.self)
            case 0x20...0x7E: text += String(decoding: [byte], as: UTF8.self)
            default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return text + "\""
    }
}

/// A path below a directory: names from the top down.
public struct RelativePath: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The names; empty for the directory itself.
    public let names: [FileName]

    /// The maximum number of bytes in a path, separators included.
    public static let byteLimit = 4096

    /// The directory itself.
    public static let root = RelativePath(unchecked: [])

    private init(unchecked names: [FileName]) { self.names = names }

    /// Joins names; throws when the path is longer than the limit.
    public init(_ names: [FileName]) throws(FileNameError) {
        self.init(unchecked: names)
        guard byteCount <= Self.byteLimit else {
            throw FileNameError(
                name: bytes, reason: "its path has more than \(Self.byteLimit) bytes")
        }
    }

    /// Parses names separated by single slashes; the empty text is the directory itself.
    ///
    /// - Throws: ``FileNameError`` for an invalid name, such as an empty one.
    public init(_ text: String) throws(FileNameError) {
        guard !text.utf8.isEmpty else {
            self = .root
            return
        }
        var names: [FileName] = []
        let pieces = text.utf8.split(
            separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for piece in pieces { names.append(try FileName(Array(piece))) }
        try self.init(names)
    }

    /// Appends a name; throws when the path becomes longer than the limit.
    public func appending(_ name: FileName) throws(FileNameError) -> RelativePath {
        try RelativePath(names + [name])
    }

    /// The number of bytes, separators included.
    public var byteCount: Int {
        names.reduce(0) { $0 + $1.bytes.count } + Swift.max(0, names.count - 1)
    }

    /// The path in UTF-8 with its slashes.
    public var bytes: [UInt8] { Array(names.map(\.bytes).joined(separator: [0x2F])) }

    /// The path as text with its slashes.
    public var description: String { String(decoding: bytes, as: UTF8.self) }

    /// Orders paths name by name, so that a directory's content follows it directly.
    public static func < (left: RelativePath, right: RelativePath) -> Bool {
        left.names.lexicographicallyPrecedes(right.names)
    }
}

/// Turns names that a tree may not hold into valid ones.
///
/// Each bad byte becomes `%` and two hexadecimal digits. A name that is too long keeps its beginning and gets a hash of
/// the whole; a name that is taken gets `~2`, `~3` and so on. The result depends only on the names in the directory.
struct NameRepair {
    private var taken: Set<String> = []

    /// The number of bytes that are kept of a name that is too long.
    private static let longest = 200

    /// Starts with the valid names of a directory, which stay.
    init(keeping names: [FileName]) { taken = Set(names.map(\.folded)) }

    /// Returns a valid name and reserves it; nil when every attempt is invalid or taken.
    mutating func repaired(_ name: [UInt8]) -> FileName? {
        for base in Self.candidates(name) {
            for number in 1...Self.attempts {
                let text = number == 1 ? base : base + Array("~\(number)".utf8)
                guard let result = try? FileName(text) else { break }
                if taken.insert(result.folded).inserted { return result }
            }
        }
        return nil
    }

    private static let attempts = 100_000
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// Candidates in order of preference; each keeps less of the name than the one before.
    private static func candidates(_ name: [UInt8]) -> [[UInt8]] {
        func escaped(_ name: [UInt8], where isBad: (Int, UInt8) -> Bool) -> [UInt8] {
            let text = name.enumerated().flatMap { index, byte in
                isBad(index, byte)
                    ? [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]] : [byte]
            }
            guard text.count > FileName.byteLimit - 10 else { return text }
            // A hash (FNV-1a) of all bytes distinguishes names with a common beginning.
            let hash = name.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
                ($0 ^ UInt64($1)) &* 0x100_0000_01B3
            }
            return Array(text.prefix(longest)) + Array("%\(String(hash, radix: 16))".utf8)
        }
        func isControl(_ byte: UInt8) -> Bool {
            byte < 0x20 || byte == 0x7F || [0x2F, 0x5C, 0x3A].contains(byte)
        }
        let last = name.count - 1
        func isEnd(_ index: Int, _ byte: UInt8) -> Bool {
            index == last && (byte == 0x20 || byte == 0x2E)
        }
        return [
            name,
            escaped(name) { isControl($1) || isEnd($0, $1) },
            escaped(name) { isControl($1) || isEnd($0, $1) || $1 >= 0x80 },
            escaped(name) { isControl($1) || isEnd($0, $1) || $1 >= 0x80 || $0 == 0 },
        ]
    }
}
