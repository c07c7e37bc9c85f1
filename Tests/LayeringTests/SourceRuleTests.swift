import Testing

@Suite("The rules of the sources")
struct SourceRuleTests {
    /// The store and the command line start in a millisecond or two; Foundation would add four.
    private static let withoutFoundation = [
        "Sources/Storage", "Sources/Objects", "Sources/Refs", "Sources/Artifacts",
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
        "Sources/Storage/Random.swift",
        "Sources/Storage/Files/SystemCall.swift",
        "Sources/Storage/Files/FileDescriptor.swift",
        "Sources/Storage/Files/Directory.swift",
        "Sources/Storage/Files/MappedFile.swift",
        "Sources/Objects/Identity/ObjectHasher.swift",
        "Sources/Objects/Format/Checksum.swift",
        "Sources/Objects/Format/LittleEndian.swift",
        "Sources/Objects/Format/JSONParser+Scalars.swift",
        "Sources/Objects/Format/JSONText.swift",
        "Sources/Objects/Cutting/CutPlan.swift",
        "Sources/Objects/Codecs/Compression.swift",
        "Sources/Objects/Formats/ByteReader.swift",
        "Sources/Objects/Codecs/PlaneCodec.swift",
        "Sources/Objects/Tables/TableBytes.swift",
        "Sources/Objects/Tables/TableVectors+Matrix.swift",
        "Sources/Objects/Vectors/KeyedHash.swift",
        "Sources/Objects/Vectors/VectorCodes.swift",
        "Sources/Objects/Weights/TensorDiff.swift",
        "Sources/TextAnalysis/Stemmer.swift",
        "Sources/Artifacts/Math/DotProduct.swift",
        "Sources/Artifacts/Search/CodeBlock.swift",
        "Sources/Artifacts/Lexical/LexicalPart.swift",
        "Sources/EmbeddingService/Connection.swift",
        "Sources/Pipelines/Feature/Sources/FolderEntry.swift",
        "Sources/Documents/Archive/ZipArchive.swift",
        "Sources/Documents/Markdown/MarkdownTree.swift",
        "Sources/Documents/HTML/HTMLTree.swift",
        "Sources/Documents/Processes/LimitedProcess.swift",
        "Sources/Documents/Text/CharacterSet.swift",
        "Sources/Documents/Text/EncodingDetector.swift",
        "Sources/Documents/XML/XMLReader.swift",
        "Sources/CommandSupport/Environment.swift",
        "Sources/CommandSupport/Progress.swift",
        "Sources/CommandSupport/StandardStream.swift",
        "Sources/ftictl/ExternalCommand.swift",
        "Sources/ftictl/LocalFile.swift",
    ]

    @Test("raw memory is touched in the listed files only")
    func pointersInListedFiles() throws {
        let marks = ["withUnsafe", "UnsafePointer", "UnsafeMutable", "UnsafeRaw", "UnsafeBuffer"]
        for (path, text) in try SourceTree.files(below: "Sources") where path.hasSuffix(".swift") {
            let touches = marks.contains { text.contains($0) } || text.contains("unsafeUninit")
            #expect(touches == Self.filesWithPointers.contains(path), "\(path)")
        }
    }

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
