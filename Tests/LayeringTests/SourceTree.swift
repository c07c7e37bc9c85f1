import Foundation
import TestSupport

/// The project's own files, read as text.
enum SourceTree {
    /// Every Swift and C file below a folder, by its path from the root.
    static func files(below folder: String) throws -> [(path: String, text: String)] {
        let base = Project.root.appending(path: folder)
        guard let walk = FileManager.default.enumerator(atPath: base.path) else { return [] }
        var result: [(String, String)] = []
        for case let name as String in walk
        where [".swift", ".c", ".h"].contains(where: { name.hasSuffix($0) }) {
            let text = try String(contentsOf: base.appending(path: name), encoding: .utf8)
            result.append(("\(folder)/\(name)", text))
        }
        return result.sorted { $0.0 < $1.0 }
    }

    static func lines(_ text: String) -> [Substring] {
        text.split(separator: "\n", omittingEmptySubsequences: false)
    }
}
