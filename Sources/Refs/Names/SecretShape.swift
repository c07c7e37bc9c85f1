/// How the secret keys of a service look: a beginning that only they have, and letters behind it.
struct SecretShape: Sendable {
    /// Which letters follow the beginning.
    enum Letters {
        /// `A-Z a-z 0-9`
        case alphanumeric
        /// `A-Z 0-9`, exactly so many.
        case capital
        /// `A-Z a-z 0-9 - _`
        case word
        /// `A-Z a-z 0-9 - _`, and among them a digit or a capital letter: prose with hyphens has none.
        case mixed
        /// `A-Z a-z 0-9 - _ .`
        case dotted
        /// `A-Z a-z 0-9 + / =`
        case base64
    }

    let prefix: String
    /// The fewest letters behind the prefix.
    let count: Int
    let letters: Letters

    private init(_ prefix: String, _ count: Int, _ letters: Letters) {
        self.prefix = prefix
        self.count = count
        self.letters = letters
    }

    /// By first byte. Prefixes and lengths are those that the services document, or that their tokens have.
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
            // What the base64 of an OpenSSH key begins with.
            ("b3BlbnNzaC1rZXktdjE", 40, .base64),
        ].map { SecretShape($0, $1, $2) }
        return Dictionary(grouping: shapes) { $0.prefix.utf8.first ?? 0 }
    }()

    /// The most letters that are looked at before something is known to be a secret key: a text in which each word could
    /// be the beginning of one must not be read to its end for each.
    private static let lookahead = 256

    /// The secret key that begins at an index where a word does; nil when there is none.
    static func match(_ bytes: [UInt8], at index: Int) -> Secrets.Match? {
        for shape in shapes[bytes[index]] ?? []
        where bytes[index...].starts(with: shape.prefix.utf8) {
            let begin = index + shape.prefix.utf8.count
            let letters = bytes[begin...].prefix(lookahead).prefix(while: shape.letters.contains)
            guard letters.count >= shape.count, shape.accepts(letters, of: bytes),
                // What hangs on a longer word with hyphens is a piece of base64, or of a name.
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
                && (found.endIndex == bytes.count || !Self.isAlphanumeric(bytes[found.endIndex]))
        case .mixed: found.contains { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) }
        case .alphanumeric, .word, .dotted, .base64: true
        }
    }

    private static func isJoined(_ bytes: [UInt8], at index: Int) -> Bool {
        index > 0
            && (bytes[index - 1] == UInt8(ascii: "-") || bytes[index - 1] == UInt8(ascii: "_"))
    }

    /// A JSON web token: header, claims and signature in base64, with periods between.
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

    /// `secret` or `secret_access_key`, a sign such as `=`, and 40 letters as AWS has them, or the 64 digits of a key of
    /// this project.
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
            (0x30...0x39).contains($0) || (0x61...0x66).contains($0) || (0x41...0x46).contains($0)
        }
        guard value.count == 64 && isHexadecimal || value.count == 40 && isKey else { return nil }
        return Secrets.Match(
            name: String(decoding: bytes[index..<end], as: UTF8.self),
            range: index..<value.endIndex)
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == 0x20
    }

    /// Where a word ends that stands at an index, in capital or small letters.
    private static func wordEnd(_ bytes: [UInt8], _ word: String, at index: Int) -> Int? {
        let end = index + word.utf8.count
        guard end <= bytes.count else { return nil }
        return bytes[index..<end].lazy.map { $0 | 0x20 }.elementsEqual(word.utf8) ? end : nil
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }
}

extension SecretShape.Letters {
    func contains(_ byte: UInt8) -> Bool {
        if SecretShape.isAlphanumeric(byte) { return self != .capital || byte < 0x60 }
        return switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "_"):
            self == .word || self == .mixed || self == .dotted
        case UInt8(ascii: "."): self == .dotted
        case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="): self == .base64
        default: false
        }
    }
}

/// Private keys as text: what stands between dashes above and below them (RFC 7468, RFC 4716, RFC 9580).
enum PrivateKeyText {
    /// The most words of a label, as in `BEGIN SSH2 ENCRYPTED PRIVATE KEY`.
    private static let wordLimit = 6

    /// The private key whose label begins behind some dashes; nil when there is none.
    static func match(_ bytes: [UInt8], dashes: Range<Int>) -> Secrets.Match? {
        guard dashes.count > 1, let end = labelEnd(bytes, at: dashes.upperBound) else { return nil }
        // The key goes as far as its other label, or nobody knows how far.
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

    /// Where `BEGIN ... PRIVATE KEY` ends, or `END ... PRIVATE KEY`, in capital or small letters; nil when something
    /// else stands there.
    private static func labelEnd(_ bytes: [UInt8], at start: Int) -> Int? {
        var index = start
        var before = ""
        for position in 0..<wordLimit {
            index += bytes[index...].prefix { $0 == 0x20 || (0x09...0x0D).contains($0) }.count
            let letters = bytes[index...].prefix(while: SecretShape.isAlphanumeric)
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
