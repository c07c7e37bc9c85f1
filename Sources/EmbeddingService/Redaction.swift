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
