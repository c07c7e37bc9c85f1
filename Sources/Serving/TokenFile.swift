internal import Objects
internal import Storage
internal import Synchronization

/// The tokens that clients may send as `Authorization: Bearer TOKEN`, read from a file.
///
/// A line of the file is `NAME SHA256-OF-TOKEN`; the digest has 64 hexadecimal digits. Empty lines and lines that
/// begin with `#` are ignored. Two lines may have the same name, so that a token can be replaced while the old one
/// still works. The file holds no secret that lets anyone in, but whoever can write it can let themselves in.
public final class TokenFile: Sendable {
    private struct Entry: Sendable {
        let name: String
        let digest: ObjectID
    }

    private struct State {
        var entries: [Entry]
        var version: FileVersion?
    }

    /// The path of the file.
    public let path: String
    private let state: Mutex<State>

    /// The greatest size of a file of tokens in bytes.
    public static let sizeLimit = 1 << 20

    /// Reads a file.
    ///
    /// - Throws: `tokens` for a line that is wrong, or when there is no token; `file` when it cannot be read.
    public init(_ path: String) throws(ServingError) {
        self.path = path
        let version = Self.version(path)
        state = Mutex(State(entries: try Self.entries(path), version: version))
    }

    /// The names, in the order of the file.
    public var names: [String] { state.withLock { $0.entries.map(\.name) } }

    /// The name of a token; nil for an unknown one. Takes equally long for each token of the same length.
    public func name(of token: some StringProtocol) -> String? {
        let digest = ObjectID(of: Array(token.utf8).span)
        let entries = state.withLock { $0.entries }
        var found: Int?
        for (index, entry) in entries.enumerated() where Self.isEqual(entry.digest, digest) {
            found = index
        }
        return found.map { entries[$0].name }
    }

    /// Reads the file again if it changed.
    ///
    /// - Returns: Whether there are new tokens.
    /// - Throws: What is wrong with the new file, once; the tokens stay as they were.
    public func refresh() throws(ServingError) -> Bool {
        let version = Self.version(path)
        let hasChanged = state.withLock { state in
            guard state.version != version else { return false }
            state.version = version
            return true
        }
        guard hasChanged else { return false }
        let entries = try Self.entries(path)
        state.withLock { $0.entries = entries }
        return true
    }

    /// Compares all bytes, so that the time does not tell how many agree.
    private static func isEqual(_ left: ObjectID, _ right: ObjectID) -> Bool {
        zip(left.bytes, right.bytes).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// The state of the file; nil when it cannot be opened.
    private static func version(_ path: String) -> FileVersion? {
        try? InputFile(opening: path, followLink: true).version
    }

    private static func entries(_ path: String) throws(ServingError) -> [Entry] {
        let bytes: [UInt8]
        do throws(StorageError) {
            bytes = try LocalFile.read(path, limit: sizeLimit)
        } catch { throw .file(error) }
        var entries: [Entry] = []
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        for (number, line) in zip(1..., lines) {
            func wrong(_ reason: String) -> ServingError {
                .tokens(path: path, line: number, reason: reason)
            }
            guard let text = String(validating: line, as: UTF8.self) else {
                throw wrong("it is not UTF-8")
            }
            let words = text.split { $0 == " " || $0 == "\t" || $0 == "\r" }
            guard let name = words.first, !name.hasPrefix("#") else { continue }
            guard words.count == 2 else { throw wrong("it is not NAME SHA256-OF-TOKEN") }
            guard name.utf8.count <= 64, name.utf8.allSatisfy(isNameByte) else {
                throw wrong("a name has at most 64 letters, digits, and . _ - @")
            }
            guard words[1].utf8.count == 64, let digest = ObjectID(hex: words[1].lowercased())
            else { throw wrong("the digest is not 64 hexadecimal digits") }
            guard digest != emptyToken else { throw wrong("it is the digest of an empty token") }
            guard !entries.contains(where: { $0.digest == digest }) else {
                throw wrong("an earlier line has the same digest")
            }
            entries.append(Entry(name: String(name), digest: digest))
        }
        guard !entries.isEmpty else {
            throw .tokens(path: path, line: lines.count, reason: "the file has no token")
        }
        return entries
    }

    private static let emptyToken = ObjectID(of: [UInt8]().span)

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2E, 0x5F, 0x2D, 0x40: true
        default: false
        }
    }
}
