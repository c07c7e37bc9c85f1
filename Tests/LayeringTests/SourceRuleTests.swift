import Testing

@Suite("The rules of the sources")
struct SourceRuleTests {
    /// The store and the command line start in a millisecond or two; Foundation would add four.
    private static let withoutFoundation = [
        "Sources/Storage", "Sources/Objects", "Sources/Refs", "Sources/Artifacts",
        "Sources/CommandSupport", "Sources/ftictl",
    ]

    @Test("the store and the command line import no Foundation", arguments: withoutFoundation)
    func noFoundation(folder: String) throws {
        for (path, text) in try SourceTree.files(below: folder) {
            for line in SourceTree.lines(text) where line.contains("import Foundation") {
                Issue.record("\(path): \(line)")
            }
        }
    }

    @Test("no source file passes 400 lines")
    func filesAreShort() throws {
        for (path, text) in try SourceTree.files(below: "Sources") {
            #expect(SourceTree.lines(text).count <= 401, "\(path)")
        }
    }

    /// The only files that touch raw memory: each is small, and wraps one C library or one kernel.
    private static let unsafeFolders = [
        "Sources/Storage/Files/", "Sources/Storage/Buckets/", "Sources/Objects/Codecs/",
    ]

    @Test("exit codes stand in one file")
    func exitCodesInOnePlace() throws {
        for folder in ["Sources/ftictl", "Sources/Refs", "Sources/Objects", "Sources/Storage"] {
            for (path, text) in try SourceTree.files(below: folder) {
                #expect(!text.contains("ExitCode("), "\(path) makes an exit code of its own")
            }
        }
    }

    @Test("nothing forces, nothing tries without handling")
    func noForce() throws {
        for (path, text) in try SourceTree.files(below: "Sources") where path.hasSuffix(".swift") {
            #expect(!text.contains("try!"), "\(path)")
            #expect(!text.contains(" as! "), "\(path)")
        }
    }
}
