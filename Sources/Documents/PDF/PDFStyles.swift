/// The typography of a document: its body size, and which lines are headings.
struct PDFStyles {
    /// The font size of most of the text.
    let bodySize: Double
    /// Whether most of the text is monospaced: fonts then do not distinguish code.
    let isMonospaced: Bool
    /// The distance between two lines of body text, relative to the font size.
    private(set) var leading = 1.3

    private struct Style: Hashable {
        let size: Int
        let isBold: Bool
    }

    private var levels: [Style: Int] = [:]
    private var outline: [Int: [(key: String, level: Int)]] = [:]
    private var firstMatch = Int.max
    private var hasOutline = false
    private var largest = 0

    /// Examines all lines of a document.
    init(_ columns: [[PDFLine]], outline items: [PDFOutlineItem]) {
        var sizes: [Int: Int] = [:]
        var monospaced = 0
        var characters = 0
        for segment in columns.joined().lazy.flatMap(\.segments) {
            sizes[segment.font.size, default: 0] += segment.characters
            monospaced += segment.monospaced
            characters += segment.characters
        }
        let most = sizes.max { ($0.value, $1.key) < ($1.value, $0.key) }
        bodySize = Double(max(most?.key ?? 1, 1))
        isMonospaced = monospaced * 2 > characters
        readLeading(columns)
        for item in items {
            let key = Self.key(item.title)
            if !key.isEmpty { outline[item.page, default: []].append((key, min(item.level, 6))) }
        }
        rankStyles(columns, items.count)
    }

    private mutating func readLeading(_ columns: [[PDFLine]]) {
        var pitches: [Int: Int] = [:]
        for column in columns {
            for (above, below) in zip(column, column.dropFirst())
            where above.size == bodySize && below.size == bodySize {
                let pitch = (below.baseline - above.baseline) / bodySize
                if pitch > 0.8, pitch < 2.5 { pitches[Int(pitch * 20), default: 0] += 1 }
            }
        }
        let most = pitches.max { ($0.value, $1.key) < ($1.value, $0.key) }
        if let most { leading = (Double(most.key) + 0.5) / 20 }
    }

    /// A title's letters and digits in lower case: outlines and headings may differ in punctuation and spaces.
    private static func key(_ title: String) -> String {
        String(title.lowercased().filter { $0.isLetter || $0.isNumber })
    }

    /// Ranks the styles of headings by the outline, or by size if too few lines match the outline.
    private mutating func rankStyles(_ columns: [[PDFLine]], _ itemCount: Int) {
        var votes: [Style: [Int: Int]] = [:]
        var counts: [Style: Int] = [:]
        var matches = 0
        for line in columns.joined() where isDistinct(line) || outline[line.page] != nil {
            let style = Self.style(of: line)
            if isDistinct(line) { counts[style, default: 0] += 1 }
            guard let level = outlineLevel(of: line) else { continue }
            votes[style, default: [:]][level, default: 0] += 1
            matches += 1
            firstMatch = min(firstMatch, line.page)
        }
        hasOutline = matches >= 3 && matches * 2 >= min(itemCount, 200)
        if hasOutline {
            for (style, found) in votes where isLarger(style) {
                levels[style] = found.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
            }
            largest = levels.keys.map(\.size).max() ?? .max
            return
        }
        firstMatch = 0
        let ranked = counts.keys.sorted {
            ($0.size, $0.isBold ? 1 : 0) > ($1.size, $1.isBold ? 1 : 0)
        }
        for (rank, style) in ranked.enumerated() { levels[style] = min(rank + 1, 6) }
    }

    private static func style(of line: PDFLine) -> Style {
        Style(size: line.font.size, isBold: line.isBold)
    }

    private func isLarger(_ style: Style) -> Bool {
        Double(style.size) >= bodySize * 1.12
            || style.isBold && Double(style.size) >= bodySize * 0.95
    }

    /// Whether a line looks like a heading: larger than the body text, or as large and bold.
    private func isDistinct(_ line: PDFLine) -> Bool {
        let text = line.text
        guard isLarger(Self.style(of: line)), text.unicodeScalars.count <= 200,
            isMonospaced || !line.isMonospaced,
            text.unicodeScalars.contains(where: { $0.properties.isAlphabetic })
        else { return false }
        // Bold text of body size that ends like a sentence is emphasis.
        let end = text.utf8.last
        return line.size >= bodySize * 1.12 || end != UInt8(ascii: ".") && end != UInt8(ascii: ",")
    }

    private func outlineLevel(of line: PDFLine) -> Int? {
        guard let items = outline[line.page] else { return nil }
        let key = Self.key(line.text)
        guard !key.isEmpty, line.size >= bodySize * 0.95 else { return nil }
        return items.first { item in
            item.key == key
                || key.hasSuffix(item.key) && key.count - item.key.count <= 8
                    && item.key.count >= 4
        }?.level
    }

    /// Returns the level of a heading; nil for a line of text.
    ///
    /// - Parameter isApart: Whether the line is set apart from the one above.
    func headingLevel(of line: PDFLine, isApart: Bool) -> Int? {
        if line.isMonospaced, !isMonospaced { return nil }
        if let level = outlineLevel(of: line), isApart { return level }
        guard isDistinct(line), isApart else { return nil }
        if hasOutline, line.page < firstMatch { return line.size >= bodySize * 1.6 ? 1 : nil }
        let style = Self.style(of: line)
        // A line before the outline's headings and at least as large as all of them is the title.
        if hasOutline, levels[style] == nil, line.page <= firstMatch, style.size >= largest {
            return 1
        }
        return levels[style]
    }

    /// Whether two lines form one heading.
    func continues(_ heading: PDFLine, _ line: PDFLine) -> Bool {
        let isAligned =
            abs(heading.left - line.left) < line.size
            || abs(heading.left + heading.right - line.left - line.right) < line.size
        let hasNumber = line.text.unicodeScalars.first.map { ("0"..."9").contains($0) } ?? false
        return Self.style(of: heading) == Self.style(of: line) && isAligned && !hasNumber
            && line.baseline - heading.baseline < line.size * 1.6
            && line.baseline > heading.baseline && outlineLevel(of: line) == nil
    }
}
