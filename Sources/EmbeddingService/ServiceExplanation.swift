internal import Objects

/// What a service says about why it refuses, whatever form it says it in.
///
/// Services agree on vectors and not on errors: the text may be a member of the answer or of something inside it, in
/// a list, plain, or the title of a page that a proxy made.
struct ServiceExplanation {
    /// The text; empty if the service gave none.
    let text: String
    /// The status that the text's surroundings name, as services do that answer errors with status 200; nil where
    /// they name none.
    let status: Int?

    /// Members that hold a text or lead to one, the most telling first. Compared without regard to case.
    private static let members = [
        "error", "errors", "message", "msg", "detail", "details", "error_message", "error_msg",
        "errormessage", "error_description", "description", "reason", "status_msg", "base_resp",
        "fault", "faultstring", "exception", "response", "title", "error_type",
    ]
    /// Nothing says more that lies deeper.
    private static let deepest = 8
    /// Of a list of errors, the first ones say enough.
    private static let listed = 3
    /// A page is searched for its title so far.
    private static let pageBytes = 16 << 10

    /// Reads an answer of any kind.
    init(_ answer: [UInt8]) {
        if let json = try? JSON(parsing: answer.span) {
            text = Self.text(in: json, depth: 0) ?? ""
            status = Self.status(in: json)
        } else {
            text = Self.plain(answer)
            status = nil
        }
    }

    /// The text on one line, not long, without what is hidden.
    func shown(hiding redaction: Redaction) -> String {
        // Nothing is cut before: the beginning of a secret would not be found.
        String(
            String.UnicodeScalarView(
                redaction.applied(to: text).unicodeScalars.prefix(200).map {
                    Self.isPrintable($0) ? $0 : " "
                }))
    }

    private static func text(in json: JSON, depth: Int) -> String? {
        guard depth < deepest else { return nil }
        switch json {
        case .string(let text):
            return text.contains { !$0.isWhitespace } ? text : nil
        case .array(let items):
            let texts = items.prefix(listed).compactMap { text(in: $0, depth: depth + 1) }
            return texts.isEmpty ? nil : texts.joined(separator: "; ")
        case .object(let object):
            for name in members {
                for member in object where member.key.lowercased().utf8.elementsEqual(name.utf8) {
                    guard let text = text(in: member.value, depth: depth + 1) else { continue }
                    return place(in: object).map { "\($0): \(text)" } ?? text
                }
            }
            return nil
        case .null, .bool, .number, .float: return nil
        }
    }

    /// Where in the request a validator found a fault, as `body.input.0`.
    private static func place(in object: JSONObject) -> String? {
        guard let parts = object["loc"]?.array, !parts.isEmpty else { return nil }
        return parts.compactMap { $0.string ?? $0.integer.map(String.init) }
            .joined(separator: ".")
    }

    private static func status(in json: JSON) -> Int? {
        let object = json["error"] ?? json.array?.first?["error"] ?? json
        for name in ["code", "status", "status_code"] {
            if let code = object[name]?.integer, 400...599 ~= code { return code }
        }
        return nil
    }

    /// The title of an HTML page, or the first line of any other text.
    private static func plain(_ answer: [UInt8]) -> String {
        let text = String(decoding: answer.prefix(pageBytes), as: UTF8.self)
        let bytes = Array(text.utf8)
        let lower = bytes.map { 0x41...0x5A ~= $0 ? $0 | 0x20 : $0 }
        if let start = index(of: "<title", in: lower[...]),
            let open = lower[start...].firstIndex(of: UInt8(ascii: ">")),
            let end = index(of: "</title", in: lower[(open + 1)...])
        {
            return trimmed(bytes[(open + 1)..<end])
        }
        let first = bytes.drop { $0 <= 0x20 }
        guard first.first != UInt8(ascii: "<") else { return "" }
        return trimmed(first.prefix { $0 != 0x0A })
    }

    private static func index(of word: String, in bytes: ArraySlice<UInt8>) -> Int? {
        bytes.indices.first { bytes[$0...].starts(with: word.utf8) }
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> String {
        var bytes = bytes.drop { $0 <= 0x20 }
        while let last = bytes.last, last <= 0x20 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether a terminal shows a character and does nothing else.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate,
            .unassigned:
            false
        default: true
        }
    }
}
