internal import Glibc
internal import Synchronization

/// Appends lines to one file a day in a folder: `PREFIX-2026-08-01.jsonl`.
///
/// Only one process may write with a prefix at a time. Other programs may read the files meanwhile: only the last line
/// can be incomplete, and only while it is being written or after a crash. Safe to use from many threads.
public final class DailyLines: Sendable {
    /// Where a line is.
    public struct Place: Hashable, Sendable {
        /// The day of its file, as `2026-08-01`.
        public let day: String
        /// The offset of its first byte.
        public let offset: Int
        /// Its number of bytes without the line feed.
        public let count: Int
    }

    private struct Current: ~Copyable {
        var day = ""
        var file: FileDescriptor?
        var end = 0
    }

    private let folder: Directory
    private let prefix: String
    private let isSynced: Bool
    private let current = Mutex(Current())

    /// Opens the folder, and creates it where it is missing; its parent must exist.
    ///
    /// - Parameters:
    ///   - prefix: The beginning of the files' names: letters, digits, `.`, `-` and `_`.
    ///   - isSynced: Whether a line is durable once it is appended.
    public init(in path: String, prefix: String, isSynced: Bool) throws(StorageError) {
        precondition(Self.isPrefix(prefix), "a prefix is a plain part of a file name")
        if mkdir(path, 0o750) != 0, errno != EEXIST {
            throw .system(operation: "create", path: path, errno: errno)
        }
        folder = try Directory(opening: path, followLink: true)
        self.prefix = prefix
        self.isSynced = isSynced
    }

    /// Whether a text can begin the names of files.
    public static func isPrefix(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 128 && text.utf8.first != UInt8(ascii: ".")
            && text.utf8.allSatisfy(isPlain)
    }

    /// A prefix that resembles a text: other bytes become `_`, and long texts are cut.
    public static func prefix(resembling text: String) -> String {
        let bytes = text.utf8.prefix(100).map { isPlain($0) ? $0 : UInt8(ascii: "_") }
        let plain = String(decoding: bytes, as: UTF8.self)
        return isPrefix(plain) ? plain : "replica" + plain
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }

    /// Appends a line to the file of a day.
    ///
    /// - Parameters:
    ///   - line: The bytes without the line feed; they must contain none.
    ///   - day: The day, as `2026-08-01`.
    /// - Throws: `system`; the line may then be in the file or not.
    @discardableResult
    public func append(_ line: [UInt8], on day: String) throws(StorageError) -> Place {
        try current.withLock { (current) throws(StorageError) in
            if current.file == nil || current.day != day { try open(day, &current) }
            let start = current.end
            do throws(StorageError) {
                try current.file?.write((line + [0x0A]).span, at: start)
                current.end = start + line.count + 1
                if isSynced { try current.file?.synchronize() }
            } catch {
                // The end of the file is unknown now; the next line looks for it.
                current.file = nil
                throw error
            }
            return Place(day: day, offset: start, count: line.count)
        }
    }

    private func open(_ day: String, _ current: inout Current) throws(StorageError) {
        let file = try folder.open(name(of: day), O_RDWR | O_CREAT, permissions: 0o640)
        var end = try file.status().size
        if end > 0, try file.read(at: end - 1, upTo: 1) != [0x0A] {
            // Ends the line that a crash cut, so that the next one stands alone.
            try file.write([0x0A].span, at: end)
            end += 1
        }
        if isSynced { try folder.synchronize() }
        current = Current(day: day, file: file, end: end)
    }

    /// Reads a line that ``append(_:on:)`` wrote; nil when its file is gone or shorter.
    public func read(_ place: Place) throws(StorageError) -> [UInt8]? {
        let file: FileDescriptor
        do throws(StorageError) { file = try folder.open(name(of: place.day), O_RDONLY) } catch {
            guard error.isAbsence else { throw error }
            return nil
        }
        let line = try file.read(at: place.offset, upTo: place.count)
        return line.count == place.count ? line : nil
    }

    private func name(of day: String) -> [UInt8] { Array("\(prefix)-\(day).jsonl".utf8) }
}
