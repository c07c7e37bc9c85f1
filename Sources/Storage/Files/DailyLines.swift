internal import Glibc
internal import Synchronization

/// Appends lines to one file a day in a folder: `PREFIX-2026-08-01.jsonl`.
///
/// Only one process may write with a prefix at a time. Other programs may read the files meanwhile: only the last line
/// can be incomplete, and only while it is being written or after a crash. They may also move or delete the files, or
/// the folder: the next line goes to a new file at the same path. Safe to use from many threads.
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
        var identity: FileStatus.Identity?
        var end = 0
    }

    /// The most bytes of a line that ``forEachLine(on:_:)`` finds.
    public static let lineLimit = 64 << 20
    private static let chunkSize = 1 << 20

    private let folder: String
    private let prefix: String
    private let isSynced: Bool
    private let current = Mutex(Current())

    /// Creates the folder where it is missing; its parent must exist.
    ///
    /// - Parameters:
    ///   - prefix: The beginning of the files' names: letters, digits, `.`, `-` and `_`.
    ///   - isSynced: Whether a line is durable once it is appended.
    public init(in path: String, prefix: String, isSynced: Bool) throws(StorageError) {
        precondition(Self.isPrefix(prefix), "a prefix is a plain part of a file name")
        folder = path
        self.prefix = prefix
        self.isSynced = isSynced
        _ = try openFolder()
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
    /// - Throws: `system`. The file then ends before the line, unless the disk fails altogether.
    @discardableResult
    public func append(_ line: [UInt8], on day: String) throws(StorageError) -> Place {
        try current.withLock { (current) throws(StorageError) in
            if !isCurrent(current, day) { try open(day, &current) }
            let start = current.end
            do throws(StorageError) {
                try current.file?.write((line + [0x0A]).span, at: start)
                current.end = start + line.count + 1
                if isSynced { try current.file?.synchronize() }
            } catch {
                // On a full disk, the beginning of the line is in the file. Where it cannot be removed, opening the
                // file for the next line ends it.
                try? current.file?.shorten(to: start)
                current.file = nil
                throw error
            }
            return Place(day: day, offset: start, count: line.count)
        }
    }

    /// Whether the open file is that of the day, still has its name, and ends where the last line ended. A line
    /// appended to a deleted file would be lost, and one appended beyond the end would leave a hole.
    private func isCurrent(_ current: borrowing Current, _ day: String) -> Bool {
        guard current.file != nil, current.day == day,
            let status = try? FileStatus(of: path(of: day), followLink: false)
        else { return false }
        return status.identity == current.identity && status.size == current.end
    }

    private func open(_ day: String, _ current: inout Current) throws(StorageError) {
        // Closes a file that was moved or deleted, even if none can be opened now.
        current = Current()
        let folder = try openFolder()
        let file = try folder.open(
            Array(name(of: day).utf8), O_RDWR | O_CREAT, permissions: 0o640)
        let status = try file.status()
        var end = status.size
        if end > 0, try file.read(at: end - 1, upTo: 1) != [0x0A] {
            // Ends the line that a crash cut, so that the next one stands alone.
            try file.write([0x0A].span, at: end)
            end += 1
        }
        if isSynced { try folder.synchronize() }
        current = Current(day: day, file: file, identity: status.identity, end: end)
    }

    private func openFolder() throws(StorageError) -> Directory {
        let (result, code) = interruptible { mkdir(folder, 0o750) }
        guard result == 0 || code == EEXIST else {
            throw .system(operation: "create", path: folder, errno: code)
        }
        if result == 0, isSynced {
            do throws(StorageError) {
                let parent = try Directory.split(folder).parent
                try Directory(opening: parent, followLink: true).synchronize()
            } catch {
                // The next attempt creates the folder again, so it cannot take it for durable.
                rmdir(folder)
                throw error
            }
        }
        return try Directory(opening: folder, followLink: true)
    }

    private func name(of day: String) -> String { "\(prefix)-\(day).jsonl" }

    private func path(of day: String) -> String { "\(folder)/\(name(of: day))" }
}

// MARK: Reading

extension DailyLines {
    /// Reads a line that ``append(_:on:)`` wrote; nil when its file is gone or shorter. Where another program replaced
    /// the file, the bytes may be those of other lines.
    public func read(_ place: Place) throws(StorageError) -> [UInt8]? {
        guard let file = try file(of: place.day) else { return nil }
        let line = try file.read(at: place.offset, upTo: place.count)
        return line.count == place.count ? line : nil
    }

    /// The days that have files with this prefix, oldest first.
    public func days() throws(StorageError) -> [String] {
        let names: [[UInt8]]
        do throws(StorageError) {
            names = try Directory(opening: folder, followLink: true).names()
        } catch {
            guard error.isAbsence else { throw error }
            return []
        }
        return names.compactMap { name in
            let day = String(
                decoding: name.dropFirst(prefix.utf8.count + 1).prefix(10), as: UTF8.self)
            let isDay = day.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2D }
            return isDay && self.name(of: day).utf8.elementsEqual(name) ? day : nil
        }.sorted()
    }

    /// Reads all complete lines of a day in their order, none where its file is gone.
    ///
    /// Holds a line and a chunk of the file in memory. Skips lines of more than ``lineLimit`` bytes.
    ///
    /// - Parameter body: Receives the bytes of a line without the line feed.
    /// - Returns: The number of bytes that were read.
    @discardableResult
    public func forEachLine(
        on day: String, _ body: (Place, ArraySlice<UInt8>) -> Void
    ) throws(StorageError) -> Int {
        guard let file = try file(of: day) else { return 0 }
        // The bytes of the file from `start`: an unfinished line, and a chunk.
        var bytes: [UInt8] = []
        var start = 0
        var isSkipping = false
        while true {
            let searched = bytes.count
            bytes += try file.read(at: start + searched, upTo: Self.chunkSize)
            guard bytes.count > searched else { return start + searched }
            var line = 0
            while let feed = bytes[max(line, searched)...].firstIndex(of: 0x0A) {
                if !isSkipping {
                    body(
                        Place(day: day, offset: start + line, count: feed - line),
                        bytes[line..<feed])
                }
                isSkipping = false
                line = feed + 1
            }
            if isSkipping || bytes.count - line > Self.lineLimit {
                isSkipping = true
                line = bytes.count
            }
            bytes.removeFirst(line)
            start += line
        }
    }

    private func file(of day: String) throws(StorageError) -> FileDescriptor? {
        do throws(StorageError) {
            return try FileDescriptor(opening: path(of: day), O_RDONLY, followLink: false)
        } catch {
            guard error.isAbsence else { throw error }
            return nil
        }
    }
}
