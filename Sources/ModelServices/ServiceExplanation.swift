internal import Objects

/// A service's explanation of an error, in whatever form it comes.
///
/// Services agree on the format of vectors but not of errors: the text may be a member of the answer or of a nested
/// value, part of a list, plain text, or the title of a proxy's error page.
struct ServiceExplanation {
    /// The text; empty where the service gives none.
    let text: String
    /// The status in the answer itself, from services that report errors with status 200; nil where there is none.
    let status: Int?

    /// Members that hold or contain the text, most specific first; compared without case.
    private static let members = [
        "error", "errors", "message", "msg", "detail", "details", "error_message", "error_msg",
        "errormessage", "error_description", "description", "reason", "status_msg", "base_resp",
        "fault", "faultstring", "exception", "response", "title", "error_type",
    ]
    /// Deeper values never hold the explanation.
    private static let deepest = 8
    /// The number of errors to read from a list.
    private static let listed = 3
    /// How much of a page to search for its title.
    private static let pageBytes = 16 << 10

    /// Parses an answer of any form.
    init(_ answer: [UInt8]) {
        if let json = try? JSON(parsing: answer.span, roundsNumbers: true) {
            text = Self.text(in: json, depth: 0) ?? ""
            status = Self.status(in: json)
        } else {
            text = Self.plain(answer)
            status = nil
        }
    }

    /// The text on one short line, with secrets redacted.
    func shown(hiding redaction: Redaction) -> String {
        // Redacts before shortening: a secret cut in two would not be recognised.
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

    /// The place of an error in the request, as validators report it: `body.input.0`.
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

    /// Whether a terminal displays a character without any other effect.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate,
            .unassigned:
            false
        default: true
        }
    }
}

/// Interprets the HTTP status of an answer, and suggests what to do about it.
enum ServiceStatus {
    /// Whether the status signals a busy service or proxy, so that a retry may succeed. Proxies and overloaded services
    /// use 520 to 529.
    static func isPassing(_ status: Int) -> Bool {
        switch status {
        case 408, 425, 429, 500, 502...504, 520...529: true
        default: false
        }
    }

    /// The predicate of a sentence whose subject is the service.
    static func meaning(
        _ status: Int, of api: ServiceAPI, model: String, hasKey: Bool
    ) -> String {
        switch status {
        case 300...399: "answers with a redirect, which this program does not follow"
        case 400, 422: "refuses the request"
        case 401, 403: hasKey ? "refuses the key" : "requires a key"
        case 402: "requires payment"
        case 404, 410: "has nothing at this address, or does not have the model \(model)"
        case 405: "does not serve \(api.noun) at this address"
        case 413: "refuses the request as too large"
        case 429: "received too many requests"
        default: "fails"
        }
    }
}

/// Removes secrets from messages, because a service may echo them: the key, header values, user information and query.
struct Redaction {
    /// The secrets, longest first, so that a secret that contains another is redacted whole.
    private let hidden: [[UInt8]]

    /// Shorter header values, passwords and query values occur in ordinary words, so they are not redacted.
    private static let shortest = 4

    init(_ address: ServiceAddress, _ key: ServiceKey?, headers: [ServiceHeader] = []) {
        var hidden: Set<[UInt8]> = []
        if let key { hidden.insert(Array(key.secret.utf8)) }
        for secret in headers.flatMap(\.secrets) where secret.utf8.count >= Self.shortest {
            hidden.insert(Array(secret.utf8))
        }
        if let user = address.userInformation {
            hidden.insert(user)
            hidden.insert(Self.decoded(user))
            // Basic authentication sends user name and password as Base64.
            hidden.insert(Array(Base64.encode(Self.decoded(user)).utf8))
            let secret = Array(user.drop { $0 != UInt8(ascii: ":") }.dropFirst())
            for value in [secret, Self.decoded(secret)] where value.count >= Self.shortest {
                hidden.insert(value)
            }
        }
        if let query = address.query {
            hidden.insert(query)
            for pair in query.split(separator: UInt8(ascii: "&")) {
                hidden.insert(Array(pair))
                let secret = Array(pair.drop { $0 != UInt8(ascii: "=") }.dropFirst())
                for value in [secret, Self.decoded(secret)] where value.count >= Self.shortest {
                    hidden.insert(value)
                }
            }
        }
        self.hidden = hidden.filter { !$0.isEmpty }.sorted { $0.count > $1.count }
    }

    /// The text with every secret replaced.
    func applied(to text: String) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if let found = hidden.first(where: { bytes[at...].starts(with: $0) }) {
                result += Array("***".utf8)
                at += found.count
            } else {
                result.append(bytes[at])
                at += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Percent-decodes bytes (RFC 3986, section 2.1).
    private static func decoded(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "%"), at + 2 < bytes.count,
                let value = UInt8(
                    String(decoding: bytes[at + 1...at + 2], as: UTF8.self), radix: 16)
            {
                result.append(value)
                at += 3
            } else {
                result.append(bytes[at])
                at += 1
            }
        }
        return result
    }
}
