internal import CMarkdown
internal import Synchronization

/// A document parsed by cmark-gfm. This file is the only one that knows its pointers.
struct MarkdownTree: ~Copyable {
    /// What happens on a walk over the tree; containers are entered and left, leaves only entered.
    enum Event {
        case enter(Kind)
        case leave(Kind)
    }

    /// The nodes that matter to a reader of the text.
    enum Kind {
        case heading(level: Int)
        case paragraph
        case list(isOrdered: Bool, start: Int)
        case item
        case code(String, info: String)
        case html(String)
        case tableRow(isHeader: Bool)
        case tableCell
        case text(String)
        case inlineCode(String)
        case inlineHTML(String)
        case link(target: String)
        case image
        case softBreak
        case lineBreak
        case other
    }

    private let root: OpaquePointer?

    // While it parses, cmark-gfm changes tables that all of its parsers share (the special characters
    // of extensions), so no two may run at once.
    private static let parser = Mutex(false)

    /// Parses text; any text is Markdown.
    init(_ text: String) {
        root = Self.parser.withLock { isRegistered in
            if !isRegistered {
                cmark_gfm_core_extensions_ensure_registered()
                isRegistered = true
            }
            guard let parser = cmark_parser_new(CMARK_OPT_VALIDATE_UTF8) else { return nil }
            defer { cmark_parser_free(parser) }
            for name in ["table", "strikethrough", "autolink"] {
                if let found = cmark_find_syntax_extension(name) {
                    cmark_parser_attach_syntax_extension(parser, found)
                }
            }
            var text = text
            text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) { characters in
                    cmark_parser_feed(parser, characters.baseAddress, characters.count)
                }
            }
            return cmark_parser_finish(parser)
        }
    }

    deinit {
        if let root { cmark_node_free(root) }
    }

    /// Walks over the tree in the order of the text; nesting of any depth is safe.
    func walk(_ visit: (Event) -> Void) {
        guard let root, let iterator = cmark_iter_new(root) else { return }
        defer { cmark_iter_free(iterator) }
        while true {
            let event = cmark_iter_next(iterator)
            guard event == CMARK_EVENT_ENTER || event == CMARK_EVENT_EXIT,
                let node = cmark_iter_get_node(iterator)
            else { return }
            let kind = Self.kind(of: node)
            visit(event == CMARK_EVENT_ENTER ? .enter(kind) : .leave(kind))
        }
    }

    private static func kind(of node: OpaquePointer) -> Kind {
        switch string(cmark_node_get_type_string(node)) {
        case "heading": .heading(level: Int(cmark_node_get_heading_level(node)))
        case "paragraph": .paragraph
        case "list":
            .list(
                isOrdered: cmark_node_get_list_type(node) == CMARK_ORDERED_LIST,
                start: Int(cmark_node_get_list_start(node)))
        case "item": .item
        case "code_block":
            .code(
                string(cmark_node_get_literal(node)), info: string(cmark_node_get_fence_info(node)))
        case "html_block": .html(string(cmark_node_get_literal(node)))
        case "table_row": .tableRow(isHeader: false)
        case "table_header": .tableRow(isHeader: true)
        case "table_cell": .tableCell
        case "text": .text(string(cmark_node_get_literal(node)))
        case "code": .inlineCode(string(cmark_node_get_literal(node)))
        case "html_inline": .inlineHTML(string(cmark_node_get_literal(node)))
        case "link": .link(target: string(cmark_node_get_url(node)))
        case "image": .image
        case "softbreak": .softBreak
        case "linebreak": .lineBreak
        default: .other
        }
    }

    private static func string(_ text: UnsafePointer<CChar>?) -> String {
        text.map { String(cString: $0) } ?? ""
    }
}
