/// The shape of the secret keys of one service: a distinctive prefix, and the letters after it.
struct SecretShape: Sendable {
    /// The letters that follow the prefix.
    enum Letters {
        /// `A-Z a-z 0-9`
        case alphanumeric
        /// `A-Z 0-9`, exactly as many as required.
        case capital
        /// `A-Z a-z 0-9 - _`
        case word
        /// `A-Z a-z 0-9 - _` with at least one digit or capital letter, unlike hyphenated prose.
        case mixed
        /// `A-Z a-z 0-9 - _ .`
        case dotted
        /// `A-Z a-z 0-9 + / =`
        case base64
    }

    let prefix: String
    /// The minimum number of letters after the prefix.
    let count: Int
    let letters: Letters

    private init(_ prefix: String, _ count: Int, _ letters: Letters) {
        self.prefix = prefix
        self.count = count
        self.letters = letters
    }

    /// The shapes by first byte. Prefixes and lengths come from the services' documentation or from their tokens.
    private static let shapes: [UInt8: [SecretShape]] = {
        let shapes = [
            ("AKIA", 16, .capital), ("ASIA", 16, .capital), ("ABIA", 16, .capital),
            ("ghp_", 36, .alphanumeric), ("gho_", 36, .alphanumeric), ("ghu_", 36, .alphanumeric),
            ("ghs_", 36, .alphanumeric), ("ghr_", 36, .alphanumeric), ("github_pat_", 22, .word),
            ("glpat-", 20, .dotted), ("gldt-", 20, .mixed), ("glrt-", 20, .mixed),
            ("glcbt-", 20, .mixed), ("glptt-", 20, .mixed), ("glft-", 20, .mixed),
            ("gloas-", 40, .mixed), ("glsoat-", 20, .mixed), ("glagent-", 40, .mixed),
            ("xoxb-", 20, .word), ("xoxp-", 20, .word), ("xoxa-", 20, .word),
            ("xoxr-", 20, .word), ("xoxs-", 20, .word), ("xoxe-", 20, .word),
            ("xoxe.xoxp-", 20, .word), ("xoxe.xoxb-", 20, .word), ("xapp-", 20, .word),
            ("AIza", 35, .word), ("GOCSPX-", 20, .word), ("ya29.", 40, .dotted),
            ("sk-ant-", 20, .mixed), ("sk-proj-", 20, .mixed), ("sk-svcacct-", 20, .mixed),
            ("sk-admin-", 20, .mixed), ("sk-None-", 20, .mixed), ("sk-or-v1-", 40, .alphanumeric),
            ("sk-", 32, .alphanumeric), ("hf_", 30, .alphanumeric),
            ("api_org_", 30, .alphanumeric), ("gsk_", 40, .alphanumeric),
            ("xai-", 60, .alphanumeric), ("pplx-", 40, .alphanumeric), ("r8_", 37, .alphanumeric),
            ("nvapi-", 40, .mixed), ("pcsk_", 40, .word), ("lsv2_pt_", 32, .word),
            ("lsv2_sk_", 32, .word), ("npm_", 36, .alphanumeric), ("pypi-", 40, .mixed),
            ("rubygems_", 48, .alphanumeric), ("dckr_pat_", 24, .word), ("dapi", 32, .alphanumeric),
            ("sk_live_", 16, .alphanumeric), ("sk_test_", 16, .alphanumeric),
            ("rk_live_", 16, .alphanumeric), ("rk_test_", 16, .alphanumeric),
            ("whsec_", 24, .base64), ("SG.", 60, .dotted), ("shpat_", 32, .alphanumeric),
            ("shpss_", 32, .alphanumeric), ("dop_v1_", 60, .alphanumeric), ("hvs.", 24, .word),
            ("glsa_", 32, .word), ("ntn_", 40, .alphanumeric), ("lin_api_", 32, .alphanumeric),
            ("AGE-SECRET-KEY-1", 40, .alphanumeric), ("PuTTY-User-Key-File-", 1, .word),
            // The beginning of an OpenSSH key in base64.
            ("b3BlbnNzaC1rZXktdjE", 40, .base64),
        ].map { SecretShape($0, $1, $2) }
        return Dictionary(grouping: shapes) { $0.prefix.utf8.first ?? 0 }
    }()

    /// The most letters to read before a match is certain: a text in which each word could begin a secret key must not
    /// be read to its end for each word.
    private static let lookahead = 256

    /// The secret key that begins at an index, which must be the beginning of a word; nil when there is none.
    static func match(_ bytes: [UInt8], at index: Int) -> Secrets.Match? {
        for shape in shapes[bytes[index]] ?? []
        where bytes[index...].starts(with: shape.prefix.utf8) {
            let begin = index + shape.prefix.utf8.count
            let letters = bytes[begin...].prefix(lookahead).prefix(while: shape.letters.contains)
            guard letters.count >= shape.count, shape.accepts(letters, of: bytes),
                // After a hyphen or an underscore, "sk-" is part of base64 or of a name.
                !shape.prefix.utf8.elementsEqual("sk-".utf8) || !isJoined(bytes, at: index)
            else { continue }
            let end = bytes[letters.endIndex...].prefix(while: shape.letters.contains).endIndex
            return Secrets.Match(name: shape.prefix, range: index..<end)
        }
        return webToken(bytes, at: index) ?? assignment(bytes, at: index)
    }

    private func accepts(_ found: ArraySlice<UInt8>, of bytes: [UInt8]) -> Bool {
        switch letters {
        case .capital:
            found.count == count
                && (found.endIndex == bytes.count || !bytes[found.endIndex].isAlphanumeric)
        case .mixed: found.contains { $0.isDigit || $0.isCapital }
        case .alphanumeric, .word, .dotted, .base64: true
        }
    }

    private static func isJoined(_ bytes: [UInt8], at index: Int) -> Bool {
        index > 0
            && (bytes[index - 1] == UInt8(ascii: "-") || bytes[index - 1] == UInt8(ascii: "_"))
    }

    /// A JSON web token: header, claims and signature in base64, separated by periods.
    private static func webToken(_ bytes: [UInt8], at index: Int) -> Secrets.Match? {
        let brace = Array("eyJ".utf8)
        func part(at start: Int) -> ArraySlice<UInt8>? {
            let part = bytes[start...].prefix(lookahead).prefix(while: Letters.word.contains)
            return part.count >= 16 ? part : nil
        }
        func isPeriod(_ index: Int) -> Bool {
            index < bytes.count && bytes[index] == UInt8(ascii: ".")
        }
        guard bytes[index...].starts(with: brace), let header = part(at: index),
            isPeriod(header.endIndex), bytes[(header.endIndex + 1)...].starts(with: brace)
        else { return nil }
        let claims = bytes[(header.endIndex + 1)...].prefix(while: Letters.word.contains)
        guard claims.count >= 16, isPeriod(claims.endIndex), part(at: claims.endIndex + 1) != nil
        else { return nil }
        let end = bytes[index...].prefix(while: Letters.dotted.contains).endIndex
        return Secrets.Match(name: "eyJ", range: index..<end)
    }

    /// `secret`, `secret_key` or `secret_access_key`, a sign such as `=`, and then 64 hexadecimal digits as in this
    /// project's keys or, except after `secret` alone, 40 letters as in AWS keys.
    private static func assignment(_ bytes: [UInt8], at index: Int) -> Secrets.Match? {
        guard let begin = wordEnd(bytes, "secret", at: index) else { return nil }
        var end = begin
        var isKey = false
        for part in ["access", "key"] {
            let next = end + (end < bytes.count && isSeparator(bytes[end]) ? 1 : 0)
            guard let after = wordEnd(bytes, part, at: next) else { continue }
            end = after
            isKey = true
        }
        let signs = bytes[end...].prefix { " \t\"':=>\\".utf8.contains($0) }
        guard 1...8 ~= signs.count else { return nil }
        let value = bytes[signs.endIndex...].prefix(65).prefix(while: Letters.base64.contains)
        let isHexadecimal = value.allSatisfy {
            $0.isDigit || (0x61...0x66).contains($0) || (0x41...0x46).contains($0)
        }
        guard value.count == 64 && isHexadecimal || value.count == 40 && isKey else { return nil }
        return Secrets.Match(
            name: String(decoding: bytes[index..<end], as: UTF8.self),
            range: index..<value.endIndex)
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == 0x20
    }

    /// The end of a word at an index, in upper or lower case; nil when another word is there.
    private static func wordEnd(_ bytes: [UInt8], _ word: String, at index: Int) -> Int? {
        let end = index + word.utf8.count
        guard end <= bytes.count else { return nil }
        return bytes[index..<end].lazy.map { $0 | 0x20 }.elementsEqual(word.utf8) ? end : nil
    }
}

extension SecretShape.Letters {
    func contains(_ byte: UInt8) -> Bool {
        if byte.isAlphanumeric { return self != .capital || byte < 0x60 }
        return switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "_"):
            self == .word || self == .mixed || self == .dotted
        case UInt8(ascii: "."): self == .dotted
        case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="): self == .base64
        default: false
        }
    }
}

/// Private keys in text form, between two labels in dashes (RFC 7468, RFC 4716, RFC 9580).
enum PrivateKeyText {
    /// The maximum number of words of a label, as in `BEGIN SSH2 ENCRYPTED PRIVATE KEY`.
    private static let wordLimit = 6

    /// The private key whose label follows some dashes; nil when there is none.
    static func match(_ bytes: [UInt8], dashes: Range<Int>) -> Secrets.Match? {
        guard dashes.count > 1, let end = labelEnd(bytes, at: dashes.upperBound) else { return nil }
        // Without a second label, the key may extend to the end of the text.
        var last = bytes.count
        var index = end
        while index < bytes.count {
            let dashes = bytes[index...].prefix { $0 == UInt8(ascii: "-") }
            if dashes.count > 1, let other = labelEnd(bytes, at: dashes.endIndex) {
                last = other + bytes[other...].prefix { $0 == UInt8(ascii: "-") }.count
                break
            }
            index += max(1, dashes.count)
        }
        return Secrets.Match(name: "-----BEGIN", range: dashes.lowerBound..<last)
    }

    /// The end of `BEGIN ... PRIVATE KEY` or `END ... PRIVATE KEY`, in upper or lower case; nil when another text is
    /// there.
    private static func labelEnd(_ bytes: [UInt8], at start: Int) -> Int? {
        var index = start
        var before = ""
        for position in 0..<wordLimit {
            index += bytes[index...].prefix { $0 == 0x20 || (0x09...0x0D).contains($0) }.count
            let letters = bytes[index...].prefix(while: \.isAlphanumeric)
            let word = String(decoding: letters, as: UTF8.self).uppercased()
            if position == 0, word != "BEGIN", word != "END" { return nil }
            guard !word.isEmpty else { return nil }
            index = letters.endIndex
            if word == "KEY", before == "PRIVATE" { return index }
            before = word
        }
        return nil
    }
}
