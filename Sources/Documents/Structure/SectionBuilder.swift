/// Collects headings and blocks, in document order, into sections.
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

    /// The maximum number of sections, well above that of real documents; limits the rows.
    private static let sectionLimit = 20_000
    /// The maximum number of characters in a heading or a title, which every row below it repeats.
    private static let headingLimit = 500

    /// The first heading of level 1, or else the first heading.
    private(set) var headingTitle: String?
    /// What was left out, cut or changed on the way to the sections.
    var findings = Finding.List()
    /// The current page, in documents with pages.
    var page: Int?

    /// Begins a section.
    ///
    /// - Parameters:
    ///   - heading: Its heading, with white space collapsed.
    ///   - level: 1 for the outermost.
    ///   - anchor: The anchor for links; nil for the slug of the heading.
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

    /// Adds a block, unless it has no text.
    mutating func add(_ kind: CleanDocument.Block.Kind, _ text: String) {
        add(CleanDocument.Block(kind, text))
    }

    /// Adds a block, unless it has no text.
    mutating func add(_ block: CleanDocument.Block) {
        guard !block.text.isEmpty else { return }
        var block = block
        block.page = block.page ?? page
        // A line that ends with a colon introduces a list, code or a table.
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

    /// Ends the current section before a heading of level `next`.
    private mutating func close(before next: Int) {
        // A heading without text below it is text itself, unless subheadings follow.
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

/// The anchors of one document, each used once.
///
/// A repeated anchor gets `-1`, `-2` and so on, as GitHub does for the headings of a page.
struct AnchorSet {
    private var uses: [[UInt8]: Int] = [[]: 0]

    /// The maximum number of bytes in an anchor before its number; anchors are part of row keys, whose size is limited.
    static let byteLimit = 256

    /// Claims an anchor, or its first numbered variant that is still free.
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

    /// Drops control characters, which row keys may not contain, and shortens to the limit.
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

    /// Returns the anchor that GitHub gives a heading: in lower case, with letters, marks, digits, `_` and `-` kept
    /// and spaces turned into hyphens.
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

/// The markers of the lists around the current element.
struct ListMarkers {
    /// How a list marks its items.
    enum Style: Equatable {
        case bullet, number, letter(isCapital: Bool), roman(isCapital: Bool)
    }

    private var lists: [(style: Style, number: Int, step: Int)] = []
    private var pending: String?

    /// Whether any list is open.
    var isInside: Bool { !lists.isEmpty }

    mutating func begin(isOrdered: Bool, start: Int) {
        begin(isOrdered ? .number : .bullet, start: start)
    }

    /// Enters a list whose first item has the number `start`.
    mutating func begin(_ style: Style, start: Int, step: Int = 1) {
        lists.append((style, start, step))
    }

    mutating func end() {
        if !lists.isEmpty { lists.removeLast() }
        pending = nil
    }

    /// Enters an item; the first text in it gets its marker.
    ///
    /// - Parameters:
    ///   - number: The number that the item sets; nil for the next.
    ///   - isDone: Whether the task is done; nil if the item is not a task.
    mutating func beginItem(number: Int? = nil, isDone: Bool? = nil) {
        defer { if let isDone { pending = (pending ?? "") + (isDone ? "[x] " : "[ ] ") } }
        guard let last = lists.indices.last else { return pending = "- " }
        if let number { lists[last].number = number }
        pending = Self.marker(lists[last].style, lists[last].number)
        lists[last].number &+= lists[last].step
    }

    mutating func endItem() { pending = nil }

    /// Returns the marker for the next text of the item, once.
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

    /// Returns a Roman numeral in lower case, for 1 to 3,999.
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
