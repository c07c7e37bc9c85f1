internal import Objects

/// A document that is one JSON object: a text, and possibly an identifier, a title and other members.
package struct Record: Sendable {
    /// The name that identifies the record in its file; nil without one.
    package let name: String?
    private let title: String?
    private let body: String
    private let format: DocumentFormat
    private let members: JSONObject
    private var hasLostNumbers = false

    private static let valueLimit = 1_000_000

    /// Parses a record: a JSON object with a string under one of the names of the text member.
    package init(
        parsing bytes: [UInt8], fields: RecordFields = RecordFields()
    ) throws(UnreadableDocument) {
        let json: JSON
        do throws(JSONError) {
            json = try JSON(parsing: bytes.span)
        } catch {
            // Numbers that a double cannot hold, such as large identifiers, are still valid JSON.
            guard let standard = LenientJSON.standard(bytes, valueLimit: Self.valueLimit),
                let read = try? JSON(parsing: standard.span)
            else {
                throw UnreadableDocument("is not JSON: \(error.reason) (at byte \(error.offset))")
            }
            json = read
            hasLostNumbers = true
        }
        guard var object = json.object else {
            throw UnreadableDocument("is not a JSON object")
        }
        guard let text = object.member(fields.text)?.string else {
            throw UnreadableDocument(
                "has no text: it needs a string under \(RecordFields.phrase(fields.text))")
        }
        body = text
        format = fields.format
        title = object.member(fields.title)?.string.flatMap(WhiteSpace.nonEmpty)
        let id = object.member(fields.id)
        name = id?.string ?? id?.integer.map(String.init)
        if let member = fields.text.first(where: { object[$0] != nil }) { object[member] = nil }
        members = object
    }

    /// Returns the record's text in sections, with its members except the text as metadata.
    func text() -> DocumentText {
        var text = DocumentText(body, format: format)
        if let title { text.declaredTitle = title }
        if hasLostNumbers {
            text.findings.add(
                .notUnderstood, "number", 1, "records",
                detail: "values that cannot be stored were replaced"
            )
        }
        // The record's members override the metadata of its text.
        for member in members { text.metadata[member.key] = member.value }
        return text
    }
}

/// Accepts nonstandard JSON, and replaces values that JSON cannot represent.
enum LenientJSON {
    /// Converts JSON as Python writes it to standard JSON: `NaN`, `Infinity`, integers of more than 15 digits and
    /// numbers beyond a double become null, and unpaired surrogates become U+FFFD.
    ///
    /// - Returns: Nil if there are more than `valueLimit` values; each takes far more memory than its text.
    static func standard(_ bytes: [UInt8], valueLimit: Int) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var values = 0
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\""):
                let end = string(bytes, from: index, into: &result)
                index = end
                continue
            case UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "{"):
                values += 1
                if values > valueLimit { return nil }
                result.append(byte)
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"):
                let end = bytes[index...].firstIndex { !isWord($0) } ?? bytes.count
                result += value(of: bytes[index..<end])
                index = end
                continue
            default: result.append(byte)
            }
            index += 1
        }
        return result
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "+"), UInt8(ascii: "-"),
            UInt8(ascii: "."):
            true
        default: false
        }
    }

    private static func value(of word: ArraySlice<UInt8>) -> [UInt8] {
        for name in ["NaN", "Infinity", "-Infinity"] where word.elementsEqual(name.utf8) {
            return Array("null".utf8)
        }
        let digits = word.count { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        let isWhole = word.allSatisfy {
            $0 == UInt8(ascii: "-") || $0 < UInt8(ascii: "A") && $0 >= UInt8(ascii: "0")
        }
        let isNumber = word.allSatisfy { $0 < UInt8(ascii: "A") || $0 | 0x20 == UInt8(ascii: "e") }
        let isBeyond =
            isWhole && digits > 15
            || isNumber && Double(String(decoding: word, as: UTF8.self))?.isFinite == false
        return isBeyond ? Array("null".utf8) : Array(word)
    }

    /// Copies a string; returns the index after it.
    private static func string(
        _ bytes: [UInt8], from start: Int, into result: inout [UInt8]
    ) -> Int {
        result.append(bytes[start])
        var index = start + 1
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                result.append(byte)
                return index + 1
            }
            guard byte == UInt8(ascii: "\\"), index + 1 < bytes.count else {
                result.append(byte)
                index += 1
                continue
            }
            guard let unit = codeUnit(bytes, at: index) else {
                result += bytes[index..<index + 2]
                index += 2
                continue
            }
            let isPair =
                unit & 0xFC00 == 0xD800 && (codeUnit(bytes, at: index + 6) ?? 0) & 0xFC00 == 0xDC00
            if isPair {
                result += bytes[index..<index + 12]
                index += 12
            } else {
                result +=
                    unit & 0xF800 == 0xD800 ? Array("\\ufffd".utf8)[...] : bytes[index..<index + 6]
                index += 6
            }
        }
        return index
    }

    /// Returns the code unit of an escape `\uXXXX`; nil for anything else.
    private static func codeUnit(_ bytes: [UInt8], at index: Int) -> UInt16? {
        guard index + 6 <= bytes.count, bytes[index] == UInt8(ascii: "\\"),
            bytes[index + 1] == UInt8(ascii: "u")
        else { return nil }
        return UInt16(String(decoding: bytes[(index + 2)..<(index + 6)], as: UTF8.self), radix: 16)
    }
}
