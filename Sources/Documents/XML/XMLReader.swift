internal import CXML

/// A pull parser of XML: elements and text in the order of the bytes, in memory that does not grow with
/// them. This file is the only one that knows the pointers of libxml2's reader.
///
/// No file and no network is read. A document with a type declaration is refused: what could expand or lead
/// elsewhere stands there. Nesting beyond libxml2's limit of 256 levels ends the document.
final class XMLReader {
    /// What comes next.
    enum Event: Equatable {
        /// An element begins; an empty one ends with an event of its own.
        case begin(String)
        /// An element ends.
        case end(String)
        /// Text between tags.
        case text(String)
    }

    private let reader: xmlTextReaderPtr
    private let bytes: UnsafeMutableBufferPointer<CChar>
    private let prefixes: (String) -> String?
    /// Names as they are given out, by the addresses of the strings that libxml2 keeps of them.
    private var names: [Name: String] = [:]
    private var pendingEnd: String?
    /// Whether the document was understood up to its end.
    private(set) var isWhole = false

    private struct Name: Hashable {
        let space: UnsafePointer<xmlChar>?
        let local: UnsafePointer<xmlChar>
    }

    // libxml2 asks to be initialised once before threads use it.
    private static let initialized: Void = xmlInitParser()

    /// Begins to read.
    ///
    /// - Parameters:
    ///   - bytes: The document.
    ///   - prefixes: The prefix that names of a namespace are to have; nil for none, whatever the document
    ///     itself uses.
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
        // Errors are told by the end of the events, and must not be printed.
        xmlTextReaderSetStructuredErrorHandler(reader, { _, _ in }, nil)
    }

    deinit {
        xmlFreeTextReader(reader)
        bytes.deallocate()
    }

    /// The next event, or nil at the end or where the document is broken.
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

    /// The value of an attribute of the element that has just begun, by its local name and the prefix of its
    /// namespace; an attribute without a namespace has the local name alone.
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
