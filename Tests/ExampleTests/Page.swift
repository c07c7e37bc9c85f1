import Foundation
import TestSupport

/// A page of the documentation.
struct Page: CustomStringConvertible {
    /// A command line of a page, and its exit code.
    struct Command {
        let line: String
        let status: Int32
        /// Its line number, from 1.
        let number: Int
    }

    /// The steps of a reader, in the order of the page.
    enum Step {
        case run(Command)
        /// A block of YAML or shell that begins with a comment of a file's name is that file.
        case write(name: String, text: String)
    }

    /// Its path from the root of the project.
    let path: String
    private let lines: [String]

    var description: String { path }

    /// The pages that are tested: the first one, and all of `docs`.
    static func all() throws -> [Page] {
        let docs = try FileManager.default.contentsOfDirectory(
            atPath: Project.root.appending(path: "docs").path)
        return try
            (["README.md"] + docs.filter { $0.hasSuffix(".md") }.sorted().map { "docs/\($0)" })
            .map(Page.init)
    }

    init(_ path: String) throws {
        self.path = path
        let text = try String(contentsOf: Project.root.appending(path: path), encoding: .utf8)
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// Its blocks of code, by language, with the number of their first line.
    private var blocks: [(language: String, first: Int, lines: [String])] {
        var result: [(language: String, first: Int, lines: [String])] = []
        var isOpen = false
        for (index, line) in lines.enumerated() {
            if line.hasPrefix("```") {
                if !isOpen { result.append((String(line.dropFirst(3)), index + 2, [])) }
                isOpen.toggle()
            } else if isOpen {
                result[result.count - 1].lines.append(line)
            }
        }
        return result
    }

    /// The steps of a reader, in order.
    var steps: [Step] {
        var steps: [Step] = []
        for block in blocks {
            if block.language == "console" {
                for (offset, line) in block.lines.enumerated() where line.hasPrefix("$ ") {
                    let parts = line.dropFirst(2).components(separatedBy: "  # exit ")
                    steps.append(
                        .run(
                            Command(
                                line: parts[0], status: parts.count > 1 ? Int32(parts[1]) ?? -1 : 0,
                                number: block.first + offset)))
                }
            } else if ["yaml", "sh"].contains(block.language), let head = block.lines.first,
                head.hasPrefix("# "), head.hasSuffix(".\(block.language)")
            {
                steps.append(
                    .write(
                        name: String(head.dropFirst(2)),
                        text: block.lines.joined(separator: "\n") + "\n"))
            }
        }
        return steps
    }

    /// The lines that are run.
    var commands: [Command] {
        steps.compactMap { step in if case .run(let command) = step { command } else { nil } }
    }

    /// The targets of its links outside blocks of code.
    var links: [String] {
        var result: [String] = []
        var isCode = false
        for line in lines {
            if line.hasPrefix("```") { isCode.toggle() }
            guard !isCode else { continue }
            for part in line.components(separatedBy: "](").dropFirst() {
                if let end = part.firstIndex(of: ")") { result.append(String(part[..<end])) }
            }
        }
        return result
    }

    /// The anchors of its headings.
    var anchors: Set<String> {
        var result: Set<String> = []
        var isCode = false
        for line in lines {
            if line.hasPrefix("```") { isCode.toggle() }
            guard !isCode, line.hasPrefix("#") else { continue }
            let title = line.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces).lowercased()
            result.insert(
                String(
                    title.compactMap { character in
                        character == " "
                            ? "-"
                            : character.isLetter || character.isNumber || "-_".contains(character)
                                ? character : nil
                    }))
        }
        return result
    }
}
