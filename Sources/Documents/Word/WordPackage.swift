/// The parts of a Word document: XML files in a ZIP archive, and the relationships between them.
final class WordPackage {
    /// The name of the part with the document's body.
    let mainPart: String
    private let archive: ZipArchive
    private let folder: String

    /// The maximum number of bytes in a part: far more than the longest books need.
    private static let partLimit = 128 << 20

    /// Opens a document.
    init(_ bytes: [UInt8]) throws(UnreadableDocument) {
        guard let archive = ZipArchive(bytes) else {
            let isCompound = bytes.starts(with: [0xD0, 0xCF, 0x11, 0xE0])
            throw UnreadableDocument(
                isCompound
                    ? "is password-protected, or was written by Word 2003 or older: save it as DOCX without a password"
                    : "is not a DOCX document: it is not a ZIP archive, or the archive is damaged")
        }
        self.archive = archive
        var main = "word/document.xml"
        for relation in Self.relations(archive, of: "") where relation.kind == "officeDocument" {
            main = relation.path
        }
        mainPart = main
        folder = main.utf8.lastIndex(of: 0x2F).map { String(main[...$0]) } ?? ""
        guard archive.names.contains(where: { $0.lowercased() == main.lowercased() }) else {
            throw UnreadableDocument("is not a DOCX document: \(main) is missing")
        }
    }

    /// Reads a part; nil if it is missing or empty.
    ///
    /// - Throws: If the part exists but cannot be read or is too large.
    func part(_ name: String) throws(UnreadableDocument) -> XMLReader? {
        do throws(ZipArchive.Failure) {
            let bytes = try archive.read(name, limit: Self.partLimit)
            return XMLReader(bytes, prefixes: WordNames.prefix)
        } catch {
            switch error {
            case .missing: return nil
            case .encrypted: throw UnreadableDocument("cannot be read: \(name) is encrypted")
            case .tooLarge:
                throw UnreadableDocument(
                    "is too large: \(name) unpacks to more than \(Self.partLimit >> 20) MiB")
            case .damaged: throw UnreadableDocument("is damaged: \(name) cannot be unpacked")
            }
        }
    }

    /// Reads a part next to the main one, such as `styles.xml`; nil if it is missing or empty.
    func neighbour(_ name: String) throws(UnreadableDocument) -> XMLReader? {
        try part(folder + name)
    }

    /// Returns the names, sorted, of the XML parts next to the main one that begin with `prefix`.
    func neighbours(beginningWith prefix: String) -> [String] {
        archive.names.filter { $0.hasPrefix(folder + prefix) && $0.hasSuffix(".xml") }.sorted()
    }

    /// Returns the external link targets of a part, by relationship identifier.
    func links(of part: String) -> [String: String] {
        var result: [String: String] = [:]
        for relation in Self.relations(archive, of: part) where relation.isExternal {
            result[relation.identifier] = relation.target
        }
        return result
    }

    /// Returns the external link targets of a part next to the main one.
    func links(ofNeighbour name: String) -> [String: String] { links(of: folder + name) }

    private struct Relation {
        let identifier: String
        let kind: Substring
        let target: String
        let isExternal: Bool
        /// The name of the target part; assumes a target relative to the archive's root.
        var path: String { target.hasPrefix("/") ? String(target.dropFirst()) : target }
    }

    private static func relations(_ archive: ZipArchive, of part: String) -> [Relation] {
        let slash = part.utf8.lastIndex(of: 0x2F)
        let folder = slash.map { part[...$0] } ?? ""
        let name = slash.map { part[part.index(after: $0)...] } ?? part[...]
        guard
            let bytes = try? archive.read("\(folder)_rels/\(name).rels", limit: partLimit),
            let reader = XMLReader(bytes, prefixes: WordNames.prefix)
        else { return [] }
        var result: [Relation] = []
        while let event = reader.next() {
            guard event == .begin("Relationship"), let identifier = reader.attribute("Id"),
                let target = reader.attribute("Target")
            else { continue }
            let kind = reader.attribute("Type") ?? ""
            result.append(
                Relation(
                    identifier: identifier, kind: kind.split(separator: "/").last ?? "",
                    target: target, isExternal: reader.attribute("TargetMode") == "External"))
        }
        return result
    }
}

/// The prefixes that this reader uses for Office Open XML namespaces, whatever prefixes a document declares.
enum WordNames {
    static func prefix(_ namespace: String) -> String? { prefixes[namespace] }

    private static let prefixes: [String: String] = [
        "http://schemas.openxmlformats.org/wordprocessingml/2006/main": "w",
        "http://purl.oclc.org/ooxml/wordprocessingml/main": "w",
        "http://schemas.microsoft.com/office/word/2010/wordml": "w14",
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships": "r",
        "http://purl.oclc.org/ooxml/officeDocument/relationships": "r",
        "http://schemas.openxmlformats.org/officeDocument/2006/math": "m",
        "http://purl.oclc.org/ooxml/officeDocument/math": "m",
        "http://schemas.openxmlformats.org/markup-compatibility/2006": "mc",
        "http://schemas.openxmlformats.org/drawingml/2006/main": "a",
        "http://purl.oclc.org/ooxml/drawingml/main": "a",
        "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing": "wp",
        "http://purl.oclc.org/ooxml/drawingml/wordprocessingDrawing": "wp",
        "http://schemas.openxmlformats.org/drawingml/2006/picture": "pic",
        "http://purl.oclc.org/ooxml/drawingml/picture": "pic",
        "http://schemas.openxmlformats.org/drawingml/2006/chart": "c",
        "http://purl.oclc.org/ooxml/drawingml/chart": "c",
        "http://schemas.openxmlformats.org/drawingml/2006/diagram": "dgm",
        "http://purl.oclc.org/ooxml/drawingml/diagram": "dgm",
        "urn:schemas-microsoft-com:vml": "v",
        "http://purl.org/dc/elements/1.1/": "dc",
        "http://purl.org/dc/terms/": "dcterms",
        "http://schemas.openxmlformats.org/package/2006/metadata/core-properties": "cp",
    ]
}

extension XMLReader {
    /// Skips the rest of the element that has just begun.
    func skip() {
        var depth = 1
        while depth > 0, let event = next() {
            switch event {
            case .begin: depth += 1
            case .end: depth -= 1
            case .text: break
            }
        }
    }

    /// Calls a function, which must not read events, for each element inside the current one, at any depth. Skips the
    /// former properties that tracked changes keep in elements such as `w:pPrChange`.
    func forEachElement(_ body: (String) -> Void) {
        var depth = 1
        while depth > 0, let event = next() {
            switch event {
            case .begin(let name) where name.hasSuffix("Change"): skip()
            case .begin(let name):
                depth += 1
                body(name)
            case .end: depth -= 1
            case .text: break
            }
        }
    }

    /// Whether a property that has just begun is on, which is the default.
    var isOn: Bool {
        switch attribute("w:val") {
        case "0", "false", "off", "none": false
        default: true
        }
    }

    /// The value of a property that has just begun.
    var value: String? { attribute("w:val") }
}
