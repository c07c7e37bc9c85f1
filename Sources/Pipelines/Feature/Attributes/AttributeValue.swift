internal import Conditions
internal import Objects

/// The result of converting a document's value to an attribute's type.
enum AttributeValue: Equatable {
    /// A value of the attribute's type.
    case value(JSON)
    /// A value of that type, shortened to fit a row.
    case cut(JSON)
    /// The document has no value.
    case none
    /// The document's value cannot be converted to the type.
    case misfit

    /// The maximum number of bytes of a text: every chunk of the document repeats it.
    static let textLimit = 4096
    /// The maximum number of texts of a list.
    static let listLimit = 100

    /// Converts a document's value to a type.
    init(_ json: JSON, as type: AttributeType) {
        if case .null = json {
            self = .none
            return
        }
        switch type {
        case .string: self = Self.text(json)
        case .strings: self = Self.texts(json)
        case .integer: self = Self.scalar(json, Self.integer)
        case .number: self = Self.scalar(json, Self.number)
        case .boolean: self = Self.scalar(json, Self.boolean)
        case .date: self = Self.scalar(json, Self.date)
        }
    }

    /// Converts a single value, which may be the only item of a list.
    private static func scalar(_ json: JSON, _ convert: (JSON) -> JSON?) -> AttributeValue {
        var json = json
        if let items = json.array {
            guard let item = items.first else { return .none }
            guard items.count == 1 else { return .misfit }
            json = item
        }
        if let text = json.string {
            let text = line(text)
            if text.isEmpty { return .none }
            json = .string(text)
        }
        return convert(json).map { .value($0) } ?? .misfit
    }

    private static func integer(_ json: JSON) -> JSON? {
        let value = json.integer ?? json.string.flatMap { Int($0) }
        guard let value, value.magnitude <= UInt(JSON.largestInteger) else { return nil }
        return .integer(value)
    }

    private static func number(_ json: JSON) -> JSON? {
        if let number = json.number { return .number(number) }
        guard let text = json.string, let number = Double(text), number.isFinite,
            // Excludes further spellings that Swift accepts, such as `0x1p3`.
            text.utf8.allSatisfy({ 0x30...0x39 ~= $0 || "+-.eE".utf8.contains($0) })
        else { return nil }
        return .number(number)
    }

    private static func boolean(_ json: JSON) -> JSON? {
        switch json.string?.lowercased() {
        case "true", "yes", "on", "1": return true
        case "false", "no", "off", "0": return false
        default: break
        }
        if let truth = json.bool { return .bool(truth) }
        return json.number.flatMap { $0 == 0 ? false : $0 == 1 ? true : nil }
    }

    private static func date(_ json: JSON) -> JSON? {
        let date = json.string.map { DateText($0) } ?? json.number.map { DateText($0) }
        return date.flatMap { $0 }.map { .string($0.canonical) }
    }

    // MARK: Texts

    /// A text; the texts of a list are joined with commas.
    private static func text(_ json: JSON) -> AttributeValue {
        guard let items = words(json) else { return .misfit }
        let text = items.joined(separator: ", ")
        if text.isEmpty { return .none }
        let short = shortened(text)
        let isWhole = short.utf8.count == text.utf8.count
        return isWhole ? .value(.string(text)) : .cut(.string(short))
    }

    /// A list of distinct texts; a single text is split at its commas.
    private static func texts(_ json: JSON) -> AttributeValue {
        guard var items = words(json) else { return .misfit }
        if let text = json.string {
            items = text.split(separator: ",").map { line(String($0)) }.filter { !$0.isEmpty }
        }
        if items.isEmpty { return .none }
        var seen: Set<[UInt8]> = []
        var isWhole = true
        var texts: [JSON] = []
        for item in items {
            let short = shortened(item)
            guard seen.insert(Array(short.utf8)).inserted else { continue }
            guard texts.count < listLimit else {
                isWhole = false
                break
            }
            isWhole = isWhole && short.utf8.count == item.utf8.count
            texts.append(.string(short))
        }
        return isWhole ? .value(.array(texts)) : .cut(.array(texts))
    }

    /// The texts of a value that holds only texts, numbers and truth values, alone or in a list; nil for any other
    /// value.
    private static func words(_ json: JSON) -> [String]? {
        var words: [String] = []
        for item in json.array ?? [json] {
            switch item {
            case .string(let text): words.append(line(text))
            case .number, .float, .bool: words.append(item.canonicalText)
            case .null: continue
            case .array, .object: return nil
            }
        }
        return words.filter { !$0.isEmpty }
    }

    /// The text as a single line, without control characters and without white space at its ends.
    static func line(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var isPending = false
        for scalar in text.unicodeScalars {
            if scalar.properties.isWhitespace || scalar.properties.generalCategory == .control {
                isPending = !result.isEmpty
                continue
            }
            if isPending { result.append(" ") }
            isPending = false
            result.append(scalar)
        }
        return String(result)
    }

    /// Shortens a text to at most ``textLimit`` bytes, without splitting a Unicode scalar.
    private static func shortened(_ text: String) -> String {
        guard text.utf8.count > textLimit else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: textLimit)
        while end > text.startIndex, end.samePosition(in: text.unicodeScalars) == nil {
            end = text.utf8.index(before: end)
        }
        return String(text[..<end])
    }
}
