import Foundation
import TestSupport
import Testing

/// Keeps the list of known bad inputs complete: every row exists, and so does every test that it names.
@Suite("The list of hostile inputs")
struct HostileInputTests {
    /// Rows about features that this version does not have.
    private static let withoutTest: Set<String> = ["B83", "B118", "B121", "H24", "H28"]

    /// The rows of the list: the name of each, and what its last cell has in backticks.
    private static func rows() throws -> [(name: String, tests: [String])] {
        let page = try String(
            contentsOf: Project.root.appending(path: "docs/hostile-input.md"), encoding: .utf8)
        return SourceTree.lines(page).compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard let name = cells.first, name.wholeMatch(of: /[BH][0-9]+/) != nil,
                let last = cells.last
            else { return nil }
            return (name, last.matches(of: /`([^`]+)`/).map { String($0.1) })
        }
    }

    @Test("every row is in the list once")
    func complete() throws {
        // The numbers left out are about writing over HTTP, which no version does yet.
        let numbers = (1...172).filter { ![153, 154, 157, 161].contains($0) }
        let expected = numbers.map { "B\($0)" } + (1...38).map { "H\($0)" }
        #expect(try Self.rows().map(\.name) == expected)
    }

    @Test("every test that the list names exists")
    func tests() throws {
        let files = try SourceTree.files(below: "Tests")
        for (name, tests) in try Self.rows() {
            #expect(tests.isEmpty == Self.withoutTest.contains(name), "\(name)")
            for test in tests {
                let parts = test.split(separator: ".")
                if test.contains("/") {
                    let path = Project.root.appending(path: test).path
                    #expect(FileManager.default.fileExists(atPath: path), "\(name): \(test)")
                } else if parts.count == 2 {
                    let isThere = files.contains { _, text in
                        text.contains("struct \(parts[0]) {")
                            && text.contains("    func \(parts[1])(")
                    }
                    #expect(isThere, "\(name): there is no \(test)")
                } else {
                    Issue.record("\(name): \(test) names no test")
                }
            }
        }
    }
}
