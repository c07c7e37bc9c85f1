import Foundation
import TestSupport
import Testing

@Suite("Manual pages")
struct ManualTests {
    @Test("there is a page for every command, and each is sound troff with every option")
    func pages() throws {
        let sandbox = try Sandbox()
        let outcome = try sandbox.ftictl("man", "pages", "--json")
        let names = try #require(try outcome.object()["pages"] as? [String])
        for command in HelpTests.commands { #expect(names.contains("ftictl-\(command).1")) }
        #expect(names.contains("ftictl.1"))
        for name in names {
            let page = try sandbox.read("pages/\(name)")
            #expect(page.hasPrefix(".TH \""))
            for section in ["NAME", "SYNOPSIS", "EXIT STATUS"] {
                #expect(page.contains(".SH \"\(section)\"\n"), "\(name)")
            }
            var isFilled = true
            for line in page.split(separator: "\n") {
                // A page may use only these requests.
                if line.hasPrefix(".") || line.hasPrefix("'") {
                    let request = line.prefix { $0 != " " }
                    #expect(
                        [".TH", ".SH", ".PP", ".TP", ".nf", ".fi"].contains(request), "\(line)")
                    if request == ".nf" { isFilled = false }
                    if request == ".fi" { isFilled = true }
                }
                // Every backslash begins an intended escape.
                for part in line.split(separator: "\\", omittingEmptySubsequences: false)
                    .dropFirst()
                {
                    #expect(["-", "e", "f", "&", "("].contains(part.prefix(1)), "\(line)")
                }
                #expect(line.range(of: #"(?<!\\)-"#, options: .regularExpression) == nil, "\(line)")
            }
            #expect(isFilled, "\(name)")
        }
        let put = try sandbox.read("pages/ftictl-put.1")
        #expect(
            put.contains("\\-\\-metric <name=number>") && put.contains("EXAMPLES")
                || put.contains("Examples:"))
        let key = try sandbox.read("pages/ftictl-key.1")
        #expect(key.contains("ftictl key grant"))
    }

    @Test("groff reports no problem in any page")
    func groff() throws {
        let sandbox = try Sandbox()
        #expect(try sandbox.ftictl("man", "pages").status == 0)
        // Without groff only the other test can run.
        let outcome = try sandbox.shell(
            "command -v groff >/dev/null || exit 0; for page in pages/*.1; do groff -ww -man -Tascii -z $page; done"
        )
        #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome.error)")
    }

    @Test("a directory that cannot be created is reported")
    func noDirectory() throws {
        let sandbox = try Sandbox()
        #expect(try sandbox.ftictl("man", "no/such/pages").status == 74)
    }
}
