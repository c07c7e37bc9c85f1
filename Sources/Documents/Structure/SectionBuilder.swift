/// Gathers headings and blocks, in the order of the document, into sections.
struct SectionBuilder {
    private var anchors = AnchorSet()
    private var sections: [CleanDocument.Section] = []
    private var path: [(level: Int, heading: String)] = []
    private var anchor = ""
    private var level = 0
    private var blocks: [CleanDocument.Block] = []
    private var titleLevel = Int.max
    private var begun = 0
    private var isFull = false

    /// More than any document that people write has; each becomes a row at least.
    private static let sectionLimit = 20_000
    /// The most characters of a heading or a title: it stands in every row below it.
    private static let headingLimit = 500

    /// The first heading of level 1, or else the first of any.
    private(set) var headingTitle: String?
    /// What of the document is not in the sections as it stood there.
    var findings = Finding.List()
    /// The page that is being read, where there are pages.
    var page: Int?

    /// Begins a section.
    ///
    /// - Parameters:
    ///   - heading: Its heading, collapsed.
    ///   - level: 1 for the outermost.
    ///   - anchor: What links call it; nil for the slug of the heading.
    mutating func begin(_ heading: String, level: Int, anchor: String?) {
        guard begun < Self.sectionLimit else {
            isFull = true
            return add(.paragraph, heading)
        }
        close(before: level)
        begun += 1
        if heading.unicodeScalars.count > Self.headingLimit {
            findings.add(
                .cut, "heading", 1, "headings", detail: "after \(Self.headingLimit) characters")
        }
        let heading = Self.shortened(heading)
        while let last = path.last, last.level >= level { path.removeLast() }
        path.append((level, heading))
        self.anchor = anchors.take(anchor ?? AnchorSet.slug(heading))
        self.level = level
        if !heading.isEmpty, titleLevel == .max || level == 1 && titleLevel > 1 {
            headingTitle = heading
            titleLevel = level
        }
    }

    /// Adds a block; nothing when it has no text.
    mutating func add(_ kind: CleanDocument.Block.Kind, _ text: String) {
        add(CleanDocument.Block(kind, text))
    }

    /// Adds a block; nothing when it has no text.
    mutating func add(_ block: CleanDocument.Block) {
        guard !block.text.isEmpty else { return }
        var block = block
        block.page = block.page ?? page
        // A line that ends so announces a list, code or a table.
        if block.kind != .code, block.text.utf8.last == UInt8(ascii: ":") {
            block.keepsWithNext = true
        }
        blocks.append(block)
    }

    /// Ends the document.
    mutating func finish(declaredTitle: String? = nil) -> DocumentText {
        close(before: 0)
        if isFull {
            findings.add(
                .cut, "sections", Self.sectionLimit, "sections",
                detail: "the rest is in the last one")
        }
        return DocumentText(
            declaredTitle: declaredTitle.map(Self.shortened), headingTitle: headingTitle,
            sections: sections, findings: findings)
    }

    private static func shortened(_ heading: String) -> String {
        String(Substring(heading.unicodeScalars.prefix(headingLimit)))
    }

    /// Ends the section at hand before a heading of a level.
    private mutating func close(before next: Int) {
        // A heading with nothing below it says something itself; one with headings below it says it there.
        if blocks.isEmpty, level > 0, next <= level, let own = path.last?.heading, !own.isEmpty {
            add(.paragraph, own)
        }
        if !blocks.isEmpty {
            sections.append(
                CleanDocument.Section(
                    anchor: anchor, headings: path.map(\.heading).filter { !$0.isEmpty },
                    level: level, blocks: blocks))
        }
        blocks = []
    }
}

/// The anchors of one document: every one is given out once.
///
/// A repeated anchor gets `-1`, `-2` and so on, as GitHub does for the headings of a page.
struct AnchorSet {
    private var uses: [[UInt8]: Int] = [[]: 0]

    /// The most bytes of an anchor: it is a part of row keys, which have a limit.
    static let byteLimit = 256

    /// Takes an anchor, or the first of its numbered successors that is free.
    mutating func take(_ anchor: String) -> String {
        let wanted = Self.usable(anchor)
        guard var count = uses[wanted] else {
            uses[wanted] = 0
            return String(decoding: wanted, as: UTF8.self)
        }
        var candidate: [UInt8]
        repeat {
            count += 1
            candidate = wanted + Array("-\(count)".utf8)
        } while uses[candidate] != nil
        uses[wanted] = count
        uses[candidate] = 0
        return String(decoding: candidate, as: UTF8.self)
    }

    /// Without what a row key may not hold, and not longer than allowed.
    private static func usable(_ anchor: String) -> [UInt8] {
        var result: [UInt8] = []
        for scalar in anchor.unicodeScalars {
            if scalar.properties.generalCategory == .control { continue }
            let encoded = UTF8.encode(scalar).map(Array.init) ?? []
            if result.count + encoded.count > byteLimit { break }
            result += encoded
        }
        return result
    }

    /// The anchor that GitHub gives a heading: lower case; letters, marks, digits, `_`, `-` and spaces
    /// stay, and spaces become hyphens.
    static func slug(_ heading: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in heading.lowercased().unicodeScalars {
            switch scalar {
            case "a"..."z", "0"..."9", "-", "_": result.append(scalar)
            case " ": result.append("-")
            default: if scalar.value >= 0x80, isWord(scalar) { result.append(scalar) }
            }
        }
        return String(result)
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation:
            true
        default: false
        }
    }
}

/// The markers of the lists that a cleaner is inside of.
struct ListMarkers {
    /// How a list marks its items.
    enum Style: Equatable {
        case bullet, number, letter(isCapital: Bool), roman(isCapital: Bool)
    }

    private var lists: [(style: Style, number: Int, step: Int)] = []
    private var pending: String?

    /// Whether there is a list around.
    var isInside: Bool { !lists.isEmpty }

    /// Enters a list.
    mutating func begin(isOrdered: Bool, start: Int) {
        begin(isOrdered ? .number : .bullet, start: start)
    }

    /// Enters a list whose first item has a number.
    mutating func begin(_ style: Style, start: Int, step: Int = 1) {
        lists.append((style, start, step))
    }

    /// Leaves a list.
    mutating func end() {
        if !lists.isEmpty { lists.removeLast() }
        pending = nil
    }

    /// Enters an item, whose first text gets its marker.
    ///
    /// - Parameters:
    ///   - number: The number that the item itself names; nil for the next.
    ///   - isDone: Whether the item is a task that is done; nil when it is no task.
    mutating func beginItem(number: Int? = nil, isDone: Bool? = nil) {
        defer { if let isDone { pending = (pending ?? "") + (isDone ? "[x] " : "[ ] ") } }
        guard let last = lists.indices.last else { return pending = "- " }
        if let number { lists[last].number = number }
        pending = Self.marker(lists[last].style, lists[last].number)
        lists[last].number &+= lists[last].step
    }

    /// Leaves an item.
    mutating func endItem() { pending = nil }

    /// Takes the marker that the next text of the item begins with.
    mutating func take() -> String? {
        defer { pending = nil }
        return pending
    }

    private static func marker(_ style: Style, _ number: Int) -> String {
        switch style {
        case .bullet: return "- "
        case .letter(let isCapital) where (1...26).contains(number):
            let letter = Unicode.Scalar(UInt8(ascii: "a") + UInt8(number - 1))
            return "\(isCapital ? letter.properties.uppercaseMapping : String(letter)). "
        case .roman(let isCapital) where (1..<4000).contains(number):
            let text = roman(number)
            return "\(isCapital ? text.uppercased() : text). "
        default: return "\(number). "
        }
    }

    /// A Roman number in small letters, of 1 to 3,999.
    static func roman(_ number: Int) -> String {
        let digits = [
            (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"),
            (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
        ]
        var rest = number
        var result = ""
        for (value, text) in digits {
            while rest >= value {
                result += text
                rest -= value
            }
        }
        return result
    }
}
