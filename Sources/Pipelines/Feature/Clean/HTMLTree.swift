internal import CHTML

/// A page parsed by libxml2, which makes a tree of any bytes. This file is the only one that knows its
/// pointers.
final class HTMLTree {
    /// An element or a run of text. It keeps its tree alive.
    struct Node {
        private let tree: HTMLTree
        private let pointer: xmlNodePtr

        init?(_ pointer: xmlNodePtr?, in tree: HTMLTree) {
            guard let pointer else { return nil }
            self.pointer = pointer
            self.tree = tree
        }

        /// The name of an element in lower case; nil for text and everything else.
        var name: String? {
            guard pointer.pointee.type == XML_ELEMENT_NODE, let name = pointer.pointee.name else {
                return nil
            }
            return String(cString: name)
        }

        /// The text of a text node; nil for an element and for comments.
        var text: String? {
            guard
                pointer.pointee.type == XML_TEXT_NODE
                    || pointer.pointee.type == XML_CDATA_SECTION_NODE,
                let content = pointer.pointee.content
            else { return nil }
            return String(cString: content)
        }

        /// Whether the element has any attribute.
        var hasAttributes: Bool {
            pointer.pointee.type == XML_ELEMENT_NODE && pointer.pointee.properties != nil
        }

        /// The value of an attribute, entities decoded; nil when it is not there.
        func attribute(_ name: String) -> String? {
            guard hasAttributes, let found = xmlHasProp(pointer, name) else { return nil }
            guard let value = found.pointee.children?.pointee.content else { return "" }
            return String(cString: value)
        }

        /// The first child.
        var firstChild: Node? { Node(pointer.pointee.children, in: tree) }

        /// The next node with the same parent.
        var next: Node? { Node(pointer.pointee.next, in: tree) }

        /// The children in order.
        var children: [Node] {
            var result: [Node] = []
            var child = firstChild
            while let node = child {
                result.append(node)
                child = node.next
            }
            return result
        }
    }

    private let document: htmlDocPtr
    /// Whether the page is too much to parse all of it, or the parser gave up before the end of the bytes.
    let isCut: Bool

    // libxml2 asks to be initialised once before threads use it.
    private static let initialized: Void = xmlInitParser()

    /// Parses a page.
    ///
    /// - Parameters:
    ///   - bytes: The page.
    ///   - encoding: What the bytes are written in; nil to go by what the page says.
    init?(_ bytes: [UInt8], encoding: String?) {
        _ = Self.initialized
        let options =
            HTML_PARSE_RECOVER.rawValue | HTML_PARSE_NOERROR.rawValue
            | HTML_PARSE_NOWARNING.rawValue | HTML_PARSE_NONET.rawValue
            | HTML_PARSE_COMPACT.rawValue
        guard let context = htmlNewParserCtxt() else { return nil }
        defer { htmlFreeParserCtxt(context) }
        let count = HTMLBudget.prefix(of: bytes)
        let document = bytes.withUnsafeBytes { buffer in
            buffer.withMemoryRebound(to: CChar.self) { characters in
                htmlCtxtReadMemory(
                    context, characters.baseAddress, Int32(clamping: count), nil,
                    encoding,
                    Int32(options))
            }
        }
        guard let document else { return nil }
        self.document = document
        // The parser stops itself at 256 levels of nesting and at 10 MB of text without markup.
        isCut = context.pointee.disableSAX != 0 || count < bytes.count
    }

    deinit { xmlFreeDoc(document) }

    /// The root element, or nil for a page without any.
    var root: Node? { Node(xmlDocGetRootElement(document), in: self) }
}
