import Foundation
import TestSupport
import Testing

@Suite("The rules of the sources")
struct SourceRuleTests {
    /// The store and the command line start in a millisecond or two; Foundation would add four.
    private static let withoutFoundation = [
        "Sources/Storage", "Sources/Objects", "Sources/FileFormats", "Sources/Conditions",
        "Sources/Refs", "Sources/Artifacts",
        "Sources/TextAnalysis",
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

    /// The only files that touch raw memory: each is small and wraps system calls, one C library or one
    /// measured loop.
    private static let filesWithPointers: Set<String> = [
        "Sources/Storage/Files/SystemCalls.swift",
        "Sources/Storage/Files/Directory.swift",
        "Sources/Storage/Files/MappedFile.swift",
        "Sources/Objects/Identity/ObjectHasher.swift",
        "Sources/Objects/Format/Bytes.swift",
        "Sources/Objects/Format/JSONParser.swift",
        "Sources/Objects/Format/JSONText.swift",
        "Sources/Objects/Cutting/CutPlan.swift",
        "Sources/Objects/Codecs/Compression.swift",
        "Sources/FileFormats/Inflation.swift",
        "Sources/Objects/Codecs/PlaneCodec.swift",
        "Sources/Objects/Tables/TableBytes.swift",
        "Sources/Objects/Tables/TableVectors.swift",
        "Sources/Objects/Vectors/KeyedHash.swift",
        "Sources/Objects/Vectors/VectorCodes.swift",
        "Sources/FileFormats/TensorDiff.swift",
        "Sources/TextAnalysis/Language.swift",
        "Sources/Artifacts/Math/DotProduct.swift",
        "Sources/Artifacts/Search/CodeBlock.swift",
        "Sources/Artifacts/Lexical/LexicalPostings.swift",
        "Sources/ModelServices/Connection.swift",
        "Sources/Pipelines/Feature/Sources/FolderEntry.swift",
        "Sources/Documents/Archive/ZipArchive.swift",
        "Sources/Documents/Markdown/MarkdownTree.swift",
        "Sources/Documents/HTML/HTMLTree.swift",
        "Sources/Processes/LimitedProcess.swift",
        "Sources/Processes/CStrings.swift",
        "Sources/Documents/Text/CharacterSet.swift",
        "Sources/Documents/XML/XMLReader.swift",
        "Sources/CommandSupport/Environment.swift",
        "Sources/CommandSupport/Output.swift",
        "Sources/CommandSupport/StandardStream.swift",
        "Sources/ftictl/Ftictl.swift",
    ]

    @Test("only the listed files touch raw memory")
    func pointersInListedFiles() throws {
        let marks = ["withUnsafe", "UnsafePointer", "UnsafeMutable", "UnsafeRaw", "UnsafeBuffer"]
        for (path, text) in try SourceTree.files(below: "Sources") where path.hasSuffix(".swift") {
            let touches = marks.contains { text.contains($0) } || text.contains("unsafeUninit")
            #expect(touches == Self.filesWithPointers.contains(path), "\(path)")
        }
    }

    /// Where no code may name an exit code; `CommandSupport` maps errors to them.
    private static let withoutExitCodes = [
        "Sources/ftictl", "Sources/Refs", "Sources/Objects", "Sources/Storage",
    ]

    @Test("exit codes stand in one file")
    func exitCodesInOnePlace() throws {
        for folder in Self.withoutExitCodes {
            for (path, text) in try SourceTree.files(below: folder) {
                #expect(!text.contains("ExitCode("), "\(path) makes an exit code of its own")
            }
        }
    }

    @Test("every file and folder that these rules name exists")
    func namedPathsExist() throws {
        for path in Self.filesWithPointers {
            #expect(FileManager.default.fileExists(atPath: Project.path(path)), "\(path)")
        }
        for folder in Self.withoutFoundation + Self.withoutExitCodes + ["Sources"] {
            #expect(try !SourceTree.files(below: folder).isEmpty, "\(folder)")
        }
    }

    @Test("the forwarding bucket of the tests forwards every requirement")
    func forwardingIsComplete() throws {
        /// The functions and properties of a declaration, by the line that each begins on.
        func members(of declaration: String, below folder: String) throws -> Set<Substring> {
            let file = try #require(
                try SourceTree.files(below: folder).first { $0.text.contains(declaration) },
                "\(declaration)")
            let after = try #require(
                file.text.components(separatedBy: declaration).dropFirst().first)
            let body = try #require(after.components(separatedBy: "\n}").first)
            return Set(body.matches(of: /\n +(?:package )?(?:func|var) (\w+)/).map(\.1))
        }
        for (needed, forwarding) in [
            ("protocol Bucket: Sendable {", "extension ForwardingBucket {"),
            ("protocol StagedBlob: Sendable {", "struct ForwardingStagedBlob: StagedBlob {"),
        ] {
            let needed = try members(of: needed, below: "Sources/Storage")
            let forwarded = try members(of: forwarding, below: "Tests/TestSupport")
            #expect(needed.count >= 4, "\(needed)")
            #expect(needed.subtracting(forwarded).isEmpty, "\(forwarding)")
        }
    }

    @Test("no source forces a try or a cast")
    func noForce() throws {
        for (path, text) in try SourceTree.files(below: "Sources") where path.hasSuffix(".swift") {
            #expect(!text.contains("try!"), "\(path)")
            #expect(!text.contains(" as! "), "\(path)")
        }
    }
}
