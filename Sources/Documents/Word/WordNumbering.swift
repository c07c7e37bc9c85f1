/// The lists of a document, and the current numbers of their items.
struct WordNumbering {
    private struct Level {
        var start = 1
        var format = "decimal"
        var text = ""
        var style: String?
        /// Whether its markers show the numbers of all levels as digits.
        var isLegal = false
        /// How many of the outermost levels restart this one; 0 for none, nil for all levels above it.
        var restart: Int?
    }

    private struct List {
        var definition = ""
        var levels: [Int: Level] = [:]
        var starts: [Int: Int] = [:]
    }

    private var definitions: [String: [Int: Level]] = [:]
    private var lists: [Int: List] = [:]
    /// The current number of each definition and level; lists with the same definition share their numbers.
    private var counts: [String: [Int: Int]] = [:]
    private var begun: Set<Int> = []

    /// The most lists and definitions: more than any document has.
    private static let limit = 50_000
    private static let levels = 0..<9

    init() {}

    /// Reads `numbering.xml`.
    init(_ reader: XMLReader) {
        var definition: String?
        var list: Int?
        var links: [String: String] = [:]
        var named: [String: String] = [:]
        while let event = reader.next(), definitions.count + lists.count < Self.limit {
            guard case .begin(let name) = event else { continue }
            switch name {
            case "w:abstractNum":
                definition = reader.attribute("w:abstractNumId")
                list = nil
                if let definition { definitions[definition] = [:] }
            case "w:num":
                list = reader.attribute("w:numId").flatMap { Int($0) }
                if let list { lists[list] = List() }
            case "w:abstractNumId": if let list { lists[list]?.definition = reader.value ?? "" }
            case "w:numStyleLink": if let definition { links[definition] = reader.value }
            case "w:styleLink":
                if let definition, let style = reader.value { named[style] = definition }
            case "w:lvlOverride":
                let index = reader.attribute("w:ilvl").flatMap { Int($0) } ?? 0
                let found = Self.override(reader)
                guard let list, Self.levels.contains(index) else { continue }
                lists[list]?.starts[index] = found.start
                if let level = found.level { lists[list]?.levels[index] = level }
            case "w:lvl":
                let index = reader.attribute("w:ilvl").flatMap { Int($0) } ?? 0
                let level = Self.level(reader)
                if let definition, Self.levels.contains(index) {
                    definitions[definition]?[index] = level
                }
            default: break
            }
        }
        for (definition, style) in links {
            if let other = named[style] { definitions[definition] = definitions[other] }
        }
    }

    private static func level(_ reader: XMLReader) -> Level {
        var level = Level()
        reader.forEachElement { name in
            switch name {
            case "w:start": level.start = reader.value.flatMap { Int($0) } ?? 1
            case "w:numFmt": level.format = reader.value ?? "decimal"
            case "w:lvlText": level.text = reader.value ?? ""
            case "w:pStyle": level.style = reader.value
            case "w:isLgl": level.isLegal = reader.isOn
            case "w:lvlRestart": level.restart = reader.value.flatMap { Int($0) }
            default: break
            }
        }
        return level
    }

    private static func override(_ reader: XMLReader) -> (start: Int?, level: Level?) {
        var start: Int?
        var level: Level?
        var depth = 1
        while depth > 0, let event = reader.next() {
            switch event {
            case .begin("w:startOverride"):
                start = reader.value.flatMap { Int($0) }
                depth += 1
            case .begin("w:lvl"): level = Self.level(reader)
            case .begin: depth += 1
            case .end: depth -= 1
            case .text: break
            }
        }
        return (start, level)
    }

    /// Returns the level of a list that is linked to a style; nil if no level is.
    func level(ofStyle style: String?, in list: Int) -> Int? {
        guard let style, let list = lists[list], let levels = definitions[list.definition] else {
            return nil
        }
        return Self.levels.first { levels[$0]?.style == style }
    }

    /// Counts an item. Returns its number as Word shows it, `-` for a bullet or an unknown list, or an empty string if
    /// the list shows no markers.
    mutating func marker(list number: Int, level index: Int) -> String {
        guard let list = lists[number], Self.levels.contains(index) else { return "-" }
        let definition = definitions[list.definition] ?? [:]
        func level(_ index: Int) -> Level { list.levels[index] ?? definition[index] ?? Level() }
        let own = level(index)
        var count = counts[list.definition] ?? [:]
        if begun.insert(number).inserted {
            // A list with start values of its own restarts; others continue the numbers of their definition.
            for (index, start) in list.starts { count[index] = start &- 1 }
        }
        count[index] = (count[index] ?? own.start &- 1) &+ 1
        for deeper in Self.levels where deeper > index {
            let restart = level(deeper).restart
            if restart != 0, restart.map({ index < $0 }) ?? true { count[deeper] = nil }
        }
        counts[list.definition] = count
        switch own.format {
        case "bullet": return "-"
        case "none" where !own.text.utf8.contains(UInt8(ascii: "%")):
            return WhiteSpace.collapsed(own.text)
        default: break
        }
        return WhiteSpace.collapsed(
            Self.filled(own.text) { place in
                let other = level(place)
                let format = own.isLegal ? "decimal" : other.format
                return WordNumberFormat.text(count[place] ?? other.start, format)
            })
    }

    /// Fills a pattern such as `%1.%2)` with the numbers of the levels.
    private static func filled(_ pattern: String, _ number: (Int) -> String) -> String {
        var result = ""
        var isPlace = false
        for scalar in pattern.unicodeScalars.prefix(200) {
            if isPlace, ("1"..."9").contains(scalar) {
                result += number(Int(scalar.value) - 0x31)
                isPlace = false
            } else if scalar == "%" {
                isPlace = true
            } else {
                if isPlace { result += "%" }
                isPlace = false
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

/// Formats the numbers of lists and notes.
enum WordNumberFormat {
    /// Formats a number; unknown formats use digits.
    static func text(_ number: Int, _ format: String) -> String {
        guard (1...9_999).contains(number) else { return String(number) }
        return switch format {
        case "lowerLetter": letters(number)
        case "upperLetter": letters(number).uppercased()
        case "lowerRoman": ListMarkers.roman(number)
        case "upperRoman": ListMarkers.roman(number).uppercased()
        case "decimalZero": number < 10 ? "0\(number)" : String(number)
        case "none": ""
        default: String(number)
        }
    }

    /// a to z, then aa, bb and so on.
    private static func letters(_ number: Int) -> String {
        let letter = Unicode.Scalar(UInt8(ascii: "a") + UInt8((number - 1) % 26))
        return String(repeating: String(letter), count: (number - 1) / 26 + 1)
    }
}
