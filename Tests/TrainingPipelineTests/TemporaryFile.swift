import Foundation

/// Files that a test writes for a run to read.
enum TemporaryFile {
    static func folder() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder.path
    }

    static func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    static func remove(_ folder: String) { try? FileManager.default.removeItem(atPath: folder) }
}
