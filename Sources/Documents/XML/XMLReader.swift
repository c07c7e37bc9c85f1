internal import CXML

/// A pull parser for XML, which builds no tree of the document. Only this file touches libxml2's pointers.
///
/// It reads no other file and never uses the network. The events end early at an error, at a document type declaration
/// (which could define entities or load external ones), and where elements nest deeper than libxml2's limit of 256.
final class XMLReader {
    enum Event: Equatable {
        /// An element begins; an empty element also gets an end event.
        case begin(String)
        /// An element ends.
        case end(String)
        /// Text between tags.
        case text(String)
    }

    private let reader: xmlTextReaderPtr
    private let bytes: UnsafeMutableBufferPointer<CChar>
    private let prefixes: (String) -> String?
    /// Qualified names, by the addresses of libxml2's interned strings.
    private var names: [Name: String] = [:]
    private var pendingEnd: String?
    /// Whether the document was parsed to its end.
    private(set) var isWhole = false

    private struct Name: Hashable {
        let space: UnsafePointer<xmlChar>?
        let local: UnsafePointer<xmlChar>
    }

    // libxml2 must be initialized once before threads use it.
    private static let initialized: Void = xmlInitParser()

    /// Creates a reader; nil for empty bytes or if out of memory.
    ///
    /// - Parameters:
    ///   - bytes: The document.
    ///   - prefixes: Returns the prefix for names in a namespace, or nil for none, whatever prefix the document
    ///     declares.
    init?(_ bytes: [UInt8], prefixes: @escaping (String) -> String? = { _ in nil }) {
        _ = Self.initialized
        let copy = UnsafeMutableBufferPointer<CChar>.allocate(capacity: bytes.count)
        bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(copy).copyMemory(from: $0) }
        let options =
            XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue
            | XML_PARSE_NOCDATA.rawValue | XML_PARSE_COMPACT.rawValue
        guard !bytes.isEmpty,
            let reader = xmlReaderForMemory(
                copy.baseAddress, Int32(clamping: copy.count), nil, nil, Int32(options))
        else {
            copy.deallocate()
            return nil
        }
        self.reader = reader
        self.bytes = copy
        self.prefixes = prefixes
        // Errors end the events early and must not be printed.
        xmlTextReaderSetStructuredErrorHandler(reader, { _, _ in }, nil)
    }

    deinit {
        xmlFreeTextReader(reader)
        bytes.deallocate()
    }

    /// Returns the next event; nil at the end or at an error.
    func next() -> Event? {
        if let name = pendingEnd {
            pendingEnd = nil
            return .end(name)
        }
        while true {
            let result = xmlTextReaderRead(reader)
            guard result == 1 else {
                isWhole = result == 0
                return nil
            }
            switch UInt32(bitPattern: xmlTextReaderNodeType(reader)) {
            case XML_READER_TYPE_ELEMENT.rawValue:
                let name = self.name
                if xmlTextReaderIsEmptyElement(reader) == 1 { pendingEnd = name }
                return .begin(name)
            case XML_READER_TYPE_END_ELEMENT.rawValue: return .end(name)
            case XML_READER_TYPE_TEXT.rawValue, XML_READER_TYPE_CDATA.rawValue,
                XML_READER_TYPE_WHITESPACE.rawValue,
                XML_READER_TYPE_SIGNIFICANT_WHITESPACE.rawValue:
                guard let value = xmlTextReaderConstValue(reader) else { continue }
                return .text(String(cString: value))
            case XML_READER_TYPE_DOCUMENT_TYPE.rawValue: return nil
            default: continue
            }
        }
    }

    /// Returns an attribute of the element that has just begun.
    ///
    /// - Parameter wanted: The prefix of its namespace, a colon and its local name; only the local name if it has no
    ///   namespace.
    func attribute(_ wanted: String) -> String? {
        guard xmlTextReaderMoveToFirstAttribute(reader) == 1 else { return nil }
        defer { xmlTextReaderMoveToElement(reader) }
        repeat {
            if name.utf8.elementsEqual(wanted.utf8) {
                return xmlTextReaderConstValue(reader).map { String(cString: $0) } ?? ""
            }
        } while xmlTextReaderMoveToNextAttribute(reader) == 1
        return nil
    }

    private var name: String {
        guard let local = xmlTextReaderConstLocalName(reader) else { return "" }
        let key = Name(space: xmlTextReaderConstNamespaceUri(reader), local: local)
        if let known = names[key] { return known }
        let prefix = key.space.flatMap { prefixes(String(cString: $0)) }
        let name = (prefix.map { "\($0):" } ?? "") + String(cString: local)
        names[key] = name
        return name
    }
}
