/// Finds headers and footers that are not part of the text: page numbers, and text that repeats from page to page.
struct PDFMarginalia {
    /// The words of running headers and footers, and those of page numbers.
    private(set) var repeated = WordCounter()
    private(set) var numbers = WordCounter()

    private struct Candidate {
        let page: Int
        let segment: Int
        let isTop: Bool
    }

    /// The share of the page height that a header or a footer may take.
    private static let margin = 0.13
    /// The maximum number of segments that are examined in a header or footer.
    private static let most = 8

    /// Removes headers and footers from the segments of all pages.
    mutating func remove(from pages: inout [[PDFSegment]], _ sizes: [PDFPage]) {
        var candidates: [Candidate] = []
        for (page, segments) in pages.enumerated() {
            let height = sizes[page].height
            let indices = Array(segments.indices)
            candidates += indices.prefix(Self.most)
                .filter { segments[$0].bottom < height * Self.margin }
                .map { Candidate(page: page, segment: $0, isTop: true) }
            candidates += indices.suffix(Self.most)
                .filter { segments[$0].top > height * (1 - Self.margin) }
                .map { Candidate(page: page, segment: $0, isTop: false) }
        }
        let texts = Self.repeatedTexts(candidates, pages)
        let offset = Self.numberOffset(candidates, pages, sizes)
        let heights = Self.numberHeights(candidates, pages, sizes, offset)
        var gone: [Int: Set<Int>] = [:]
        for candidate in candidates {
            let segment = pages[candidate.page][candidate.segment]
            if texts.contains(Self.key(segment, candidate.isTop))
                || heights.contains(Self.height(segment, candidate.isTop))
                    && Self.hasNumber(
                        candidate, pages[candidate.page], sizes[candidate.page], offset)
            {
                gone[candidate.page, default: []].insert(candidate.segment)
                if Self.pageNumber(segment.text) == nil {
                    repeated.add(segment.text + " ")
                } else {
                    numbers.add(segment.text + " ")
                }
            } else if Self.isNumber(segment, of: sizes[candidate.page], offset),
                Self.isAlone(candidate, pages[candidate.page], texts)
            {
                gone[candidate.page, default: []].insert(candidate.segment)
                numbers.add(segment.text + " ")
            }
        }
        for (page, segments) in gone {
            pages[page] = pages[page].enumerated().filter { !segments.contains($0.offset) }
                .map(\.element)
        }
    }

    /// Whether a segment is the number of its page; on the first 59 pages, any Roman number counts.
    private static func isNumber(_ segment: PDFSegment, of page: PDFPage, _ offset: Int?) -> Bool {
        guard let number = pageNumber(segment.text) else { return false }
        return number.isRoman ? page.number < 60 : number.value - page.number == offset
    }

    private static func height(_ segment: PDFSegment, _ isTop: Bool) -> Int {
        Int((isTop ? segment.top : -segment.bottom) / 8)
    }

    /// Returns the heights where page numbers stand on many pages: everything on such a
    /// line is a running header or footer.
    private static func numberHeights(
        _ candidates: [Candidate], _ pages: [[PDFSegment]], _ sizes: [PDFPage], _ offset: Int?
    ) -> Set<Int> {
        var counts: [Int: Int] = [:]
        for candidate in candidates {
            let segment = pages[candidate.page][candidate.segment]
            if isNumber(segment, of: sizes[candidate.page], offset) {
                counts[height(segment, candidate.isTop), default: 0] += 1
            }
        }
        let least = max(3, pages.count * 2 / 5)
        return Set(counts.filter { $0.value >= least }.keys)
    }

    /// Whether the page number is on the same line as a segment.
    private static func hasNumber(
        _ candidate: Candidate, _ segments: [PDFSegment], _ page: PDFPage, _ offset: Int?
    ) -> Bool {
        line(of: candidate, segments).contains { isNumber(segments[$0], of: page, offset) }
    }

    /// Returns the segments on the same line as a candidate.
    private static func line(of candidate: Candidate, _ segments: [PDFSegment]) -> [Int] {
        let own = segments[candidate.segment]
        let near = max(0, candidate.segment - most)..<min(segments.count, candidate.segment + most)
        return near.filter { segments[$0].bottom > own.top && segments[$0].top < own.bottom }
    }

    /// A text with its height on the page.
    private static func key(_ segment: PDFSegment, _ isTop: Bool) -> String {
        "\(height(segment, isTop)) \(segment.text)"
    }

    private static func repeatedTexts(
        _ candidates: [Candidate], _ pages: [[PDFSegment]]
    ) -> Set<String> {
        var counts: [String: Int] = [:]
        for candidate in candidates {
            let segment = pages[candidate.page][candidate.segment]
            if pageNumber(segment.text) == nil {
                counts[key(segment, candidate.isTop), default: 0] += 1
            }
        }
        let least = pages.count <= 3 ? max(2, pages.count) : 3
        return Set(counts.filter { $0.value >= least }.keys)
    }

    /// Returns the most common difference between the printed number of a page and its number in the file; nil if only
    /// one page has it, unless it is 0.
    private static func numberOffset(
        _ candidates: [Candidate], _ pages: [[PDFSegment]], _ sizes: [PDFPage]
    ) -> Int? {
        var counts: [Int: Int] = [:]
        for candidate in candidates {
            guard let number = pageNumber(pages[candidate.page][candidate.segment].text),
                !number.isRoman
            else { continue }
            counts[number.value - sizes[candidate.page].number, default: 0] += 1
        }
        guard let most = counts.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }) else {
            return nil
        }
        return most.value >= 2 || most.key == 0 ? most.key : nil
    }

    /// Whether only repeated text shares the line: otherwise a number may be a table cell.
    private static func isAlone(
        _ candidate: Candidate, _ segments: [PDFSegment], _ texts: Set<String>
    ) -> Bool {
        line(of: candidate, segments).allSatisfy { index in
            index == candidate.segment
                || texts.contains(key(segments[index], candidate.isTop))
                || pageNumber(segments[index].text) != nil
        }
    }

    /// Parses the number in `12`, `- 12 -`, `Page 12 of 40` or `xii`; nil for any other text.
    static func pageNumber(_ text: String) -> (value: Int, isRoman: Bool)? {
        let words = text.lowercased().split { !$0.isLetter && !$0.isNumber }
        guard !words.isEmpty, words.count <= 4, text.utf8.count <= 40 else { return nil }
        if words.count == 1, words[0].allSatisfy({ "ivxl".contains($0) }) { return (0, true) }
        let others: Set<Substring> = [
            "page", "seite", "of", "von", "p", "s", "sur", "de", "pagina", "página", "di", "af",
            "av", "z",
        ]
        let numbers = words.compactMap { Int($0) }
        guard (1...2).contains(numbers.count),
            words.allSatisfy({ Int($0) != nil || others.contains($0) })
        else { return nil }
        // Section numbers, versions and dates have punctuation inside.
        if numbers.count == 2, words.count == 2, !text.contains("/") { return nil }
        return (numbers[0], false)
    }
}
