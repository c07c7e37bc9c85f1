/// Joins a page's fragments into lines and puts the lines in reading order.
enum PDFLayout {
    /// The widest gap between words, in font heights; a wider gap separates columns or cells.
    private static let widestSpace = 1.4
    /// The narrowest gap that is a space, in font heights.
    private static let narrowestSpace = 0.1

    /// Returns a page's segments from top to bottom and left to right.
    static func segments(of page: PDFPage) -> [PDFSegment] {
        rows(page.fragments).flatMap(segments)
    }

    /// Groups fragments into lines, each sorted from left to right.
    private static func rows(_ fragments: [PDFFragment]) -> [[PDFFragment]] {
        let sorted = fragments.sorted { ($0.top, $0.left) < ($1.top, $1.left) }
        var rows: [[PDFFragment]] = []
        var top = 0.0
        var bottom = -1.0
        for fragment in sorted {
            let overlap = min(bottom, fragment.bottom) - max(top, fragment.top)
            let smaller = min(bottom - top, fragment.height)
            if overlap > 0.5 * smaller, let last = rows.indices.last {
                rows[last].append(fragment)
                // A small mark, such as a superscript, must not pull the next line in.
                if fragment.height > bottom - top {
                    (top, bottom) = (fragment.top, fragment.bottom)
                }
            } else {
                rows.append([fragment])
                (top, bottom) = (fragment.top, fragment.bottom)
            }
        }
        return rows.map { $0.sorted { $0.left < $1.left } }
    }

    private static func segments(of row: [PDFFragment]) -> [PDFSegment] {
        var result: [PDFSegment] = []
        var weights: [PDFFont: Int] = [:]
        for fragment in row {
            let size = Double(max(fragment.font.size, 6))
            var joint = ""
            if let last = result.last {
                let gap = fragment.left - last.right
                let isCode = last.isMonospaced && fragment.font.isMonospaced
                if gap > (isCode ? 8 : widestSpace) * size || gap < -3 * size {
                    result.append(PDFSegment())
                    weights = [:]
                } else if isCode, gap > 0 {
                    let width = fragment.width / Double(max(fragment.text.unicodeScalars.count, 1))
                    joint = String(repeating: " ", count: max(0, min(Int(gap / width + 0.5), 80)))
                } else if gap > narrowestSpace * size {
                    joint = " "
                }
            } else {
                result.append(PDFSegment())
            }
            add(fragment, joint, to: &result[result.count - 1], &weights)
        }
        return result.map { segment in
            var segment = segment
            segment.text = segment.isMonospaced ? segment.text : WhiteSpace.collapsed(segment.text)
            return segment
        }.filter { !WhiteSpace.collapsed($0.text).isEmpty }
    }

    private static func add(
        _ fragment: PDFFragment, _ joint: String, to segment: inout PDFSegment,
        _ weights: inout [PDFFont: Int]
    ) {
        if segment.text.isEmpty {
            segment.left = fragment.left
            segment.top = fragment.top
            segment.bottom = fragment.bottom
            segment.right = fragment.right
        }
        let hasSpace =
            segment.text.unicodeScalars.last.map(WhiteSpace.isSpace) ?? true
            || fragment.text.unicodeScalars.first.map(WhiteSpace.isSpace) ?? true
        segment.text += (hasSpace && joint == " " ? "" : joint) + fragment.text
        segment.right = max(segment.right, fragment.right)
        let count = fragment.text.unicodeScalars.count { !WhiteSpace.isSpace($0) }
        segment.characters += count
        if fragment.font.isMonospaced { segment.monospaced += count }
        if fragment.font.isBold { segment.bold += count }
        let weight = weights[fragment.font, default: 0] + count
        weights[fragment.font] = weight
        if weight > weights[segment.font, default: 0] || segment.font.size == 0 {
            segment.font = fragment.font
            segment.top = fragment.top
            segment.bottom = fragment.bottom
        }
        if let link = fragment.link, segment.links.count < 200, !segment.links.contains(link) {
            segment.links.append(link)
        }
    }

    /// Returns the segments of each column, in the order in which the columns are read.
    static func columns(_ segments: [PDFSegment], depth: Int = 0) -> [[PDFSegment]] {
        guard depth < 3, let gutter = gutter(segments) else { return [segments] }
        var result: [[PDFSegment]] = []
        var above: [PDFSegment] = []
        for band in bands(segments, at: gutter) {
            guard band.isColumns else {
                above += band.all
                continue
            }
            if !above.isEmpty { result.append(above) }
            above = []
            result += columns(band.left, depth: depth + 1)
            result += columns(band.right, depth: depth + 1)
        }
        return above.isEmpty ? result : result + [above]
    }

    /// A line that crosses the gutter, or a part of a page between two such lines.
    private struct Band {
        var left: [PDFSegment] = []
        var right: [PDFSegment] = []
        var all: [PDFSegment] = []

        /// Whether both sides are lines of running text: table cells are shorter.
        var isColumns: Bool { Self.isText(left) && Self.isText(right) }

        private static func isText(_ side: [PDFSegment]) -> Bool {
            guard side.count >= 4 else { return false }
            let lengths = side.map(\.characters).sorted()
            return lengths[lengths.count / 2] >= 18
        }
    }

    private static func bands(_ segments: [PDFSegment], at gutter: Double) -> [Band] {
        var result: [Band] = []
        var band = Band()
        for segment in segments {
            if segment.left < gutter, segment.right > gutter {
                if !band.all.isEmpty { result.append(band) }
                result.append(Band(all: [segment]))
                band = Band()
                continue
            }
            band.all.append(segment)
            if segment.right <= gutter {
                band.left.append(segment)
            } else {
                band.right.append(segment)
            }
        }
        if !band.all.isEmpty { result.append(band) }
        return result
    }

    /// Returns the horizontal position of the gutter between two columns; nil if there is none.
    private static func gutter(_ segments: [PDFSegment]) -> Double? {
        guard segments.count >= 8, let first = segments.map(\.left).min() else { return nil }
        var counts: [Int: Int] = [:]
        for segment in segments { counts[Int(segment.left / 4), default: 0] += 1 }
        let places = counts.filter { $0.value >= 4 && Double($0.key) * 4 > first + 40 }
            .sorted { ($0.value, $1.key) > ($1.value, $0.key) }.prefix(6)
        var best: (score: Int, gutter: Double)?
        for (place, _) in places {
            let gutter = Double(place) * 4 - 2
            let score = bands(segments, at: gutter).filter(\.isColumns).reduce(0) {
                $0 + $1.all.count
            }
            if score >= 8, score * 3 >= segments.count, score > best?.score ?? 0 {
                best = (score, gutter)
            }
        }
        return best?.gutter
    }

    /// Joins a column's segments into lines, from top to bottom.
    static func lines(_ column: [PDFSegment], page: Int) -> [PDFLine] {
        var result: [PDFLine] = []
        for segment in column {
            if let last = result.indices.last, let before = result[last].segments.last,
                min(before.bottom, segment.bottom) - max(before.top, segment.top)
                    > 0.5 * min(before.bottom - before.top, segment.bottom - segment.top),
                segment.left >= before.right - segment.size
            {
                result[last].segments.append(segment)
            } else {
                result.append(PDFLine(segments: [segment], page: page))
            }
        }
        return result
    }
}

/// Text on one line without a wide gap: a line of a column, or a table cell.
struct PDFSegment: Equatable {
    var left = 0.0
    var right = 0.0
    var top = 0.0
    var bottom = 0.0
    /// The font of most of its characters.
    var font = PDFFont()
    var text = ""
    var links: [String] = []
    /// How many characters are monospaced, how many are bold, and how many there are.
    var monospaced = 0
    var bold = 0
    var characters = 0

    var isMonospaced: Bool { monospaced == characters }
    /// Whether at least 90% of its characters are bold: a comma after a bold word may not be.
    var isBold: Bool { bold * 10 >= characters * 9 }
    var size: Double { Double(max(font.size, 1)) }
    var width: Double { right - left }
}

/// A line of a column: its segments from left to right.
struct PDFLine: Equatable {
    var segments: [PDFSegment] = []
    var page = 0

    var left: Double { segments.first?.left ?? 0 }
    var right: Double { segments.last?.right ?? 0 }
    var top: Double { segments.map(\.top).min() ?? 0 }
    var bottom: Double { segments.map(\.bottom).max() ?? 0 }
    var text: String { segments.map(\.text).joined(separator: " ") }
    var links: [String] { segments.flatMap(\.links) }
    var isMonospaced: Bool { segments.allSatisfy(\.isMonospaced) }
    var isBold: Bool { segments.allSatisfy(\.isBold) }
    /// The font of its longest segment.
    var font: PDFFont { segments.max { $0.characters < $1.characters }?.font ?? PDFFont() }
    var size: Double { Double(max(font.size, 1)) }
    /// The approximate baseline, independent of font heights.
    var baseline: Double { segments.max { $0.characters < $1.characters }?.bottom ?? 0 }
}
