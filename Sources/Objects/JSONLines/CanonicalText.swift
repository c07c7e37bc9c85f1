/// A buffer that builds canonical JSON (RFC 8785, plus ``JSON/float(_:)``) by copying JSON text that is mostly
/// canonical already.
///
/// Every function that reads returns false or nil when the text is wrong or unusual.
struct CanonicalText {
    /// A member of an object that is being copied, with the comma after it: `"name":value,`.
    struct Member {
        var start: Int
        var end = 0
        /// The bytes of the name, without quotes.
        var name = 0..<0
    }

    private(set) var bytes: [UInt8] = []
    private(set) var members: [Member] = []
    private var sorted: [UInt8] = []

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        members.removeAll(keepingCapacity: true)
    }

    mutating func append(_ byte: UInt8) { bytes.append(byte) }

    mutating func open(_ byte: UInt8) { bytes.append(byte) }

    /// Ends a list or an object, and removes the comma after its last element.
    mutating func close(_ byte: UInt8) {
        if let last = bytes.last, last == 0x2C { bytes.removeLast() }
        bytes.append(byte)
    }

    // MARK: Members

    mutating func beginMember() -> Int {
        members.append(Member(start: bytes.count))
        return members.count - 1
    }

    mutating func endMember(_ index: Int, name: Range<Int>) {
        bytes.append(0x2C)
        members[index].name = name
        members[index].end = bytes.count
    }

    mutating func removeMember(_ index: Int) {
        bytes.removeLast(bytes.count - members[index].start)
        members.removeLast()
    }

    /// Sorts the members from index `first` on. They belong to the closed object that begins at `start`. Returns false
    /// when a name is repeated, or when a member is far from its place.
    mutating func sortMembers(from first: Int, start: Int) -> Bool {
        defer { members.removeLast(members.count - first) }
        guard members.count - first > 1 else { return true }
        var isSorted = true
        // Insertion sort: objects have few members, and most are already in order.
        for index in (first + 1)..<members.count {
            var place = index
            while place > first {
                let order = compare(members[place - 1].name, members[place].name)
                if order == 0 { return false }
                if order < 0 { break }
                members.swapAt(place - 1, place)
                isSorted = false
                place -= 1
                if index - place > 64 { return false }
            }
        }
        guard !isSorted else { return true }
        var output: [UInt8] = []
        swap(&output, &sorted)
        output.removeAll(keepingCapacity: true)
        // The closing brace replaced the comma of the last member in the text.
        for index in first..<members.count {
            LittleEndian.append(
                bytes.span.extracting(members[index].start..<members[index].end - 1), to: &output)
            output.append(index == members.count - 1 ? 0x7D : 0x2C)
        }
        bytes.removeLast(bytes.count - start - 1)
        LittleEndian.append(output.span, to: &bytes)
        swap(&output, &sorted)
        return true
    }

    /// Compares two names without escapes by UTF-16 code units. That is byte order, except that characters beyond
    /// U+FFFF come before those from U+E000 on.
    private func compare(_ left: Range<Int>, _ right: Range<Int>) -> Int {
        let span = bytes.span
        let shared = min(left.count, right.count)
        for index in 0..<shared {
            let a = span[left.lowerBound + index]
            let b = span[right.lowerBound + index]
            if a == b { continue }
            if a >= 0xEE, b >= 0xEE, (a >= 0xF0) != (b >= 0xF0) { return a >= 0xF0 ? -1 : 1 }
            return Int(a) - Int(b)
        }
        return left.count - right.count
    }

    /// The range of the bytes that the last value, which begins at `start`, contributes to a key. Nil when the general
    /// parser must decide.
    func keyPart(from start: Int) -> Range<Int>? {
        let range = start..<bytes.count - 1
        let span = bytes.span
        guard let first = range.first else { return nil }
        switch span[first] {
        case 0x22:
            for index in range where span[index] == 0x5C { return nil }
            return range.count > 2 ? range.lowerBound + 1..<range.upperBound - 1 : nil
        case 0x2D, 0x30...0x39:
            for index in range.dropFirst() where !(0x30...0x39).contains(span[index]) {
                return nil
            }
            return range
        default: return nil
        }
    }

    // MARK: Scalars

    mutating func literal(
        _ word: StaticString, _ line: Span<UInt8>, _ offset: inout Int
    ) -> Bool {
        let count = word.utf8CodeUnitCount
        guard line.count - offset >= count else { return false }
        let text = line.extracting(offset..<offset + count)
        let isWord =
            switch text[0] {
            case 0x74: text[1] == 0x72 && text[2] == 0x75 && text[3] == 0x65
            case 0x66:
                text[1] == 0x61 && text[2] == 0x6C && text[3] == 0x73 && text[4] == 0x65
            default: text[1] == 0x75 && text[2] == 0x6C && text[3] == 0x6C
            }
        guard isWord else { return false }
        LittleEndian.append(text, to: &bytes)
        offset += count
        return true
    }

    /// Copies a string and returns the range of its characters in the canonical bytes. Gives up on a name with
    /// escapes.
    mutating func string(
        _ line: Span<UInt8>, _ offset: inout Int, isName: Bool
    ) -> Range<Int>? {
        let start = offset + 1
        var isASCII = true
        var copied = offset
        offset = start
        let at = bytes.count + 1
        while true {
            offset = JSONText.plainEnd(of: line, from: offset, isASCII: &isASCII)
            guard offset < line.count else { return nil }
            if line[offset] == 0x22 { break }
            guard line[offset] == 0x5C, !isName else { return nil }
            LittleEndian.append(line.extracting(copied..<offset), to: &bytes)
            guard escape(line, &offset) else { return nil }
            copied = offset
        }
        if !isASCII {
            do throws(UTF8.ValidationError) {
                _ = try UTF8Span(validating: line.extracting(start..<offset))
            } catch { return nil }
        }
        offset += 1
        LittleEndian.append(line.extracting(copied..<offset), to: &bytes)
        return at..<bytes.count - 1
    }

    /// Copies an escape in its canonical form.
    private mutating func escape(_ line: Span<UInt8>, _ offset: inout Int) -> Bool {
        guard offset + 1 < line.count else { return false }
        let letter = line[offset + 1]
        switch letter {
        case 0x22, 0x5C, 0x62, 0x66, 0x6E, 0x72, 0x74:
            bytes.append(0x5C)
            bytes.append(letter)
        case 0x2F: bytes.append(0x2F)
        case 0x75: return unicodeEscape(line, &offset)
        default: return false
        }
        offset += 2
        return true
    }

    private mutating func unicodeEscape(_ line: Span<UInt8>, _ offset: inout Int) -> Bool {
        var parser = JSONParser(offset: offset + 2)
        // Characters that must stay escaped are rarely written this way; leave them to the general parser.
        guard let scalar = try? parser.unicodeEscape(line), scalar.value >= 0x20,
            scalar != "\"", scalar != "\\", let units = UTF8.encode(scalar)
        else { return false }
        offset = parser.offset
        for unit in units { bytes.append(unit) }
        return true
    }

    /// Copies a number. A decimal number of up to 15 digits is the shortest that gives its double, so it is canonical
    /// if it has no redundant digits.
    mutating func number(_ line: Span<UInt8>, _ offset: inout Int) -> Bool {
        let start = offset
        var end = start
        if line[end] == 0x2D { end += 1 }
        let whole = end
        while end < line.count, (0x30...0x39).contains(line[end]) { end += 1 }
        let wholeDigits = end - whole
        guard wholeDigits > 0, wholeDigits == 1 || line[whole] != 0x30 else { return false }
        let isZero = line[whole] == 0x30
        var digits = isZero ? 0 : wholeDigits
        var isPlain = !isZero || whole == start
        if end < line.count, line[end] == 0x2E {
            end += 1
            let fraction = end
            while end < line.count, (0x30...0x39).contains(line[end]) { end += 1 }
            guard end > fraction else { return false }
            var zeros = 0
            if isZero {
                while fraction + zeros < end, line[fraction + zeros] == 0x30 { zeros += 1 }
            }
            digits += end - fraction - zeros
            isPlain = zeros <= 5 && line[end - 1] != 0x30
        }
        let isScaled = end < line.count && line[end] | 0x20 == 0x65
        if isPlain, !isScaled, digits <= 15 {
            LittleEndian.append(line.extracting(start..<end), to: &bytes)
            offset = end
            return true
        }
        var parser = JSONParser(offset: start)
        guard let value = try? parser.number(line) else { return false }
        if JSONText.isFloat(line.extracting(start..<parser.offset)) {
            JSON.real(value).appendCanonical(to: &bytes)
        } else {
            guard value.magnitude <= Double(JSON.largestInteger) || value.magnitude >= 1e21 else {
                return false
            }
            JSON.number(value).appendCanonical(to: &bytes)
        }
        offset = parser.offset
        return true
    }
}
