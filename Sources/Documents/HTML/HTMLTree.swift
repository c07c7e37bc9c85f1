internal import CGumbo

/// A page parsed by gumbo according to the HTML standard, which builds a tree from any bytes. Only this file touches
/// gumbo's pointers.
final class HTMLTree {
    /// An element or a text node; it keeps its tree alive.
    struct Node {
        private let tree: HTMLTree
        private let pointer: UnsafePointer<GumboNode>

        init?(_ pointer: UnsafePointer<GumboNode>?, in tree: HTMLTree) {
            guard let pointer else { return nil }
            self.pointer = pointer
            self.tree = tree
        }

        private var isElement: Bool {
            pointer.pointee.type == GUMBO_NODE_ELEMENT
                || pointer.pointee.type == GUMBO_NODE_TEMPLATE
        }

        /// The element's name in lower case; nil for other nodes.
        var name: String? {
            guard isElement else { return nil }
            let element = pointer.pointee.v.element
            if element.tag != GUMBO_TAG_UNKNOWN { return HTMLTree.names[Int(element.tag.rawValue)] }
            var original = element.original_tag
            guard original.data != nil else { return "" }
            gumbo_tag_from_original_text(&original)
            let bytes = UnsafeBufferPointer(start: original.data, count: original.length)
            return String(decoding: bytes.map { UInt8(bitPattern: $0) }, as: UTF8.self).lowercased()
        }

        /// Whether it is an element that the HTML standard defines.
        var isKnown: Bool { isElement && pointer.pointee.v.element.tag != GUMBO_TAG_UNKNOWN }

        /// The text of a text node; nil for elements and comments.
        var text: String? {
            switch pointer.pointee.type {
            case GUMBO_NODE_TEXT, GUMBO_NODE_WHITESPACE, GUMBO_NODE_CDATA:
                pointer.pointee.v.text.text.map { String(cString: $0) }
            default: nil
            }
        }

        /// The number of words in a text node; 0 for other nodes.
        var wordCount: Int {
            switch pointer.pointee.type {
            case GUMBO_NODE_TEXT, GUMBO_NODE_CDATA:
                guard var next = pointer.pointee.v.text.text else { return 0 }
                var words = WordCounter()
                while next.pointee != 0 {
                    words.add(UInt8(bitPattern: next.pointee))
                    next += 1
                }
                return words.count
            default: return 0
            }
        }

        var hasAttributes: Bool { isElement && pointer.pointee.v.element.attributes.length > 0 }

        /// Returns the value of an attribute with its references decoded; nil if absent.
        func attribute(_ name: String) -> String? {
            guard hasAttributes else { return nil }
            return withUnsafePointer(to: pointer.pointee.v.element.attributes) { attributes in
                gumbo_get_attribute(attributes, name).flatMap { found in
                    found.pointee.value.map { String(cString: $0) }
                }
            }
        }

        private var childVector: GumboVector? {
            switch pointer.pointee.type {
            case GUMBO_NODE_DOCUMENT: pointer.pointee.v.document.children
            case GUMBO_NODE_ELEMENT, GUMBO_NODE_TEMPLATE: pointer.pointee.v.element.children
            default: nil
            }
        }

        private func child(_ index: Int, of vector: GumboVector) -> Node? {
            Node(
                vector.data[index].map {
                    UnsafePointer($0.assumingMemoryBound(to: GumboNode.self))
                },
                in: tree)
        }

        /// The children, in order.
        var children: [Node] {
            guard let vector = childVector, vector.length > 0 else { return [] }
            return (0..<Int(vector.length)).compactMap { child($0, of: vector) }
        }

        /// The parent element; nil for the root.
        var parent: Node? {
            guard let parent = Node(UnsafePointer(pointer.pointee.parent), in: tree),
                parent.isElement
            else { return nil }
            return parent
        }
    }

    private let output: UnsafeMutablePointer<GumboOutput>
    // The tree points into the page, and its nodes live in the arena.
    private let page: UnsafeMutableBufferPointer<CChar>
    private let arena: Arena

    /// The names of the elements that gumbo knows, by tag number.
    private static let names: [String] = (0..<GUMBO_TAG_LAST.rawValue).map { number in
        gumbo_normalized_tagname(GumboTag(rawValue: number)).map { String(cString: $0) } ?? ""
    }

    /// Whether HTML, SVG or MathML defines an element with this lower-case name.
    static func isElement(_ name: String) -> Bool { gumbo_tag_enum(name) != GUMBO_TAG_UNKNOWN }

    /// Parses a prepared page; nil if out of memory.
    init?(_ prepared: HTMLPreparation) {
        let bytes = prepared.page
        let page = UnsafeMutableBufferPointer<CChar>.allocate(capacity: bytes.count + 1)
        bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(page).copyMemory(from: $0) }
        page[bytes.count] = 0
        self.page = page
        arena = Arena()
        var options = kGumboDefaultOptions
        options.max_errors = 0
        options.userdata = Unmanaged.passUnretained(arena).toOpaque()
        options.allocator = { arena, size in
            arena.flatMap { Unmanaged<Arena>.fromOpaque($0).takeUnretainedValue().allocate(size) }
        }
        options.deallocator = { _, _ in }
        guard let output = gumbo_parse_with_options(&options, page.baseAddress, bytes.count) else {
            page.deallocate()
            return nil
        }
        self.output = output
    }

    deinit { page.deallocate() }

    /// The root element; nil for a page without elements.
    var root: Node? { Node(UnsafePointer(output.pointee.root), in: self) }

    /// Allocates a tree's many small nodes in blocks and frees them all at once: faster than node by node, and
    /// without gumbo's recursive free.
    private final class Arena {
        private var blocks: [UnsafeMutableRawPointer] = []
        private var next: UnsafeMutableRawPointer?
        private var left = 0

        private static let blockSize = 128 << 10
        private static let alignment = 16

        func allocate(_ size: Int) -> UnsafeMutableRawPointer {
            let size = (max(size, 1) + Self.alignment - 1) & ~(Self.alignment - 1)
            if let next, size <= left {
                self.next = next + size
                left -= size
                return next
            }
            let capacity = max(size, Self.blockSize)
            let block = UnsafeMutableRawPointer.allocate(
                byteCount: capacity, alignment: Self.alignment)
            blocks.append(block)
            if capacity - size > left {
                next = block + size
                left = capacity - size
            }
            return block
        }

        deinit { for block in blocks { block.deallocate() } }
    }
}
