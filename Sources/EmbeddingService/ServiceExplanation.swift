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

/// What the status of a service's answer means, and what a person can do about it.
enum ServiceStatus {
    /// Whether a service answers so while it is too busy, or somebody in between is: what is asked for again may
    /// come. 520 to 529 are of proxies, and of services that say they are overloaded.
    static func isPassing(_ status: Int) -> Bool {
        switch status {
        case 408, 425, 429, 500, 502...504, 520...529: true
        default: false
        }
    }

    /// The end of a sentence that begins with the service.
    static func meaning(_ status: Int, model: String, hasKey: Bool) -> String {
        switch status {
        case 300...399: "answers with a redirect, which is not followed"
        case 400, 422: "refuses the request"
        case 401, 403: hasKey ? "refuses the key" : "asks for a key"
        case 402: "asks to be paid"
        case 404, 410: "has nothing at this address, or no model \(model)"
        case 405: "does not embed at this address"
        case 413: "refuses the request as too large"
        case 429: "has had too many requests"
        default: "fails"
        }
    }

    /// What to do next.
    static func remedy(_ status: Int) -> String {
        switch status {
        case 300...399: "correct its url"
        case 400, 422:
            "send less at once: lower embed.batch or chunk.size; or correct embed.model, "
                + "embed.dimension or embed.request"
        case 401, 403:
            "check the key: FTI_EMBED_KEY, or the variables that embed.key and embed.headers name"
        case 402: "check the plan and the quota of the account"
        case 404, 405, 410: checkAddress
        case 413: "send less at once: lower embed.batch or chunk.size"
        case 429: "repeat the command later, perhaps with a lower embed.batch"
        default: "repeat the command when it answers"
        }
    }

    /// What to do where something else than an embedding service seems to answer.
    static let checkAddress = "check the url (embed.url or FTI_EMBED_URL) and the name of the model"
}

/// What no message may repeat: the key, values of headers, and whatever an address has besides the place, because a service may say it back.
struct Redaction {
    /// The longest first, so that no part of one is left.
    private let hidden: [[UInt8]]

    /// Shorter values are not looked for by themselves: they are in every other word.
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
            hidden.insert(Self.base64(Self.decoded(user)))
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

    /// Text with everything hidden replaced, wherever it is in it.
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

    /// Bytes with `%41` and the like replaced by what they stand for (RFC 3986, section 2.1).
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

    /// Base64 (RFC 4648, section 4), as a header has user name and password.
    private static func base64(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var result: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits = 0
            for offset in 0..<3 {
                bits = bits << 8 | (offset < group.count ? Int(group[start + offset]) : 0)
            }
            for digit in 0..<4 {
                result.append(
                    digit > group.count ? UInt8(ascii: "=") : digits[bits >> (18 - 6 * digit) & 63])
            }
        }
        return result
    }
}
