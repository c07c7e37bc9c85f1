package import Foundation

/// A directory for one test, removed with everything in it when the test ends.
package final class TemporaryDirectory: Sendable {
    package let path: String

    package init() throws {
        path = FileManager.default.temporaryDirectory.path + "/fti-test-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false)
    }

    deinit {
        let manager = FileManager.default
        do { try manager.removeItem(atPath: path) } catch {
            // A test may have locked a directory inside; unlock them all and try once more.
            for case let name as String in manager.enumerator(atPath: path) ?? .init() {
                var isDirectory: ObjCBool = false
                if manager.fileExists(atPath: self(name), isDirectory: &isDirectory),
                    isDirectory.boolValue
                {
                    chmod(self(name), 0o755)
                }
            }
            try? manager.removeItem(atPath: path)
        }
    }

    package var url: URL { URL(filePath: path, directoryHint: .isDirectory) }

    /// The path of an entry of the directory, whether it exists or not.
    package func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file, creates the directories above it, and returns its path.
    @discardableResult
    package func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
        let url = URL(filePath: self(name))
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
        return url.path
    }

    /// Writes a text file, creates the directories above it, and returns its path.
    @discardableResult
    package func write(_ name: String, _ text: String) throws -> String {
        try write(name, text.utf8)
    }

    /// Creates a directory and those above it, and returns its path.
    @discardableResult
    package func makeDirectory(_ name: String) throws -> String {
        try FileManager.default.createDirectory(
            atPath: self(name), withIntermediateDirectories: true)
        return self(name)
    }

    /// Creates a symbolic link.
    package func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: self(name), withDestinationPath: target)
    }

    /// Removes a file or a directory.
    package func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: self(name))
    }

    /// Renames a file or a directory, and creates the directories above its new name.
    package func move(_ name: String, to new: String) throws {
        let url = URL(filePath: self(new))
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.moveItem(atPath: self(name), toPath: url.path)
    }

    /// The names in a directory below this one, sorted, including those of unfinished files.
    package func names(in name: String = ".") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: self(name)).sorted()
    }

    /// The content of a text file.
    package func text(_ name: String) throws -> String {
        try String(contentsOfFile: self(name), encoding: .utf8)
    }
}
