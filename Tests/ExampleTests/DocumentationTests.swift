import Foundation
import TestSupport
import Testing

@Suite("The documentation")
struct DocumentationTests {
    @Test(
        "every command line of a page works, in order", arguments: try Page.all()
    )
    func commands(page: Page) throws {
        guard !page.commands.isEmpty else { return }
        let bench = try Workbench()
        // The pages name a language model of the reader's.
        let model = "http://llm:8000/v1"
        let isAsked = page.commands.contains { $0.line.contains(model) }
        let generator = isAsked ? try StandInGenerator(model: "smollm2") : nil
        for step in page.steps {
            switch step {
            case .write(let name, let text):
                try Data(text.utf8).write(to: bench.directory.appending(path: name))
            case .run(let command):
                let outcome = try bench.run(
                    generator.map { command.line.replacing(model, with: $0.url) } ?? command.line)
                #expect(
                    outcome.status == command.status,
                    "\(page):\(command.number): \(command.line)\n\(outcome.error)")
            }
        }
    }

    @Test("every command is shown somewhere, with real input")
    func coverage() throws {
        let lines = try Page.all().flatMap(\.commands).map(\.line)
        func isShown(_ words: String) -> Bool {
            lines.contains { $0.contains("\(words) ") || $0.hasSuffix(words) }
        }
        let help = try Workbench().run("ftictl --help").output
        let commands =
            help.components(separatedBy: "SUBCOMMANDS:").last?
            .split(separator: "\n").filter {
                $0.hasPrefix("  ") && !$0.hasPrefix("   ") && !$0.hasPrefix("  See ")
            }
            .compactMap { $0.split(separator: " ").first } ?? []
        #expect(commands.count >= 20)
        for command in commands { #expect(isShown("ftictl \(command)"), "ftictl \(command)") }
        for command in [
            "fti-feature run", "fti-training run", "fti-inference ask", "fti-inference canary",
        ] {
            #expect(isShown(command), "\(command)")
        }
    }

    @Test("every link leads somewhere", arguments: try Page.all())
    func links(page: Page) throws {
        let folder = Project.root.appending(path: page.path).deletingLastPathComponent()
        let pages = try Page.all()
        for link in page.links where !link.hasPrefix("https://") {
            let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
            let target = parts[0].isEmpty ? nil : folder.appending(path: String(parts[0]))
            if let target {
                #expect(
                    FileManager.default.fileExists(atPath: target.path), "\(page) links to \(link)")
            }
            guard parts.count > 1 else { continue }
            let other = try target.map { target in
                try #require(
                    pages.first {
                        Project.root.appending(path: $0.path).standardizedFileURL.path
                            == target.standardizedFileURL.path
                    }, "\(page) links to \(link)")
            }
            #expect((other ?? page).anchors.contains(String(parts[1])), "\(page) links to \(link)")
        }
    }
}
