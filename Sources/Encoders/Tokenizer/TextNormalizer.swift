internal import CUTF8Proc

/// Applies the normalizer of a `tokenizer.json` to text.
struct TextNormalizer: Sendable {
    /// A change of the whole text; `tokenizers` makes one after the other.
    enum Step: Hashable, Sendable {
        /// Removes control characters, and turns white space into spaces.
        case clean
        /// Puts spaces around ideographs.
        case separateIdeographs
        /// Normal form D, or KD if `isCompatible`.
        case decompose(isCompatible: Bool)
        /// Normal form C, or KC if `isCompatible`.
        case compose(isCompatible: Bool)
        /// Removes nonspacing marks.
        case removeNonspacing
        /// Removes all combining marks.
        case removeCombining
        case lowercase
        /// Removes white space at the ends.
        case strip(left: Bool, right: Bool)
    }

    private let steps: [Step]
    /// What the steps make of each ASCII character: nil if they remove it.
    private let ascii: [UInt8?]
    /// Whether some step depends on more than the characters next to each other.
    private let needsWholeText: Bool

    init(_ steps: [Step]) {
        self.steps = steps
        needsWholeText = steps.contains {
            if case .strip = $0 { true } else { false }
        }
        var scalars = ScalarBuffer()
        ascii = (0..<128).map { (byte: UInt32) in
            scalars.current = [byte]
            for step in steps {
                if case .strip = step { continue }
                scalars.apply(step)
            }
            return scalars.current.first.map { UInt8(truncatingIfNeeded: $0) }
        }
    }

    /// Appends the normalized form of valid UTF-8.
    ///
    /// ASCII is mapped byte by byte. Only the stretches between, with the ASCII character before and after them, take
    /// the steps, because no step lets two neighbouring ASCII characters affect each other.
    func append(_ text: Span<UInt8>, to output: inout [UInt8], _ scalars: inout ScalarBuffer) {
        if needsWholeText { return appendStretch(text, to: &output, &scalars) }
        output.reserveCapacity(output.count + text.count)
        var place = 0
        while place < text.count {
            var end = place
            while end < text.count, text[end] < 0x80 { end += 1 }
            var last = end
            if end < text.count {
                // The last character that the steps keep can combine with what follows.
                while last > place {
                    last -= 1
                    if isKept(text[last]) { break }
                }
            }
            for index in place..<last {
                if let byte = ascii[Int(text[index])] { output.append(byte) }
            }
            guard end < text.count else { return }
            place = end
            while place < text.count, !(isKept(text[place]) && text[place - 1] < 0x80) {
                place += 1
            }
            appendStretch(text.extracting(last..<place), to: &output, &scalars)
        }
    }

    /// Whether a byte is an ASCII character that the steps do not remove.
    private func isKept(_ byte: UInt8) -> Bool { byte < 0x80 && ascii[Int(byte)] != nil }

    private func appendStretch(
        _ text: Span<UInt8>, to output: inout [UInt8], _ scalars: inout ScalarBuffer
    ) {
        scalars.current.removeAll(keepingCapacity: true)
        var place = 0
        while place < text.count {
            let (scalar, length) = UTF8Text.scalar(text, at: place)
            scalars.current.append(scalar)
            place += length
        }
        for step in steps { scalars.apply(step) }
        for scalar in scalars.current { UTF8Text.append(scalar, to: &output) }
    }
}

/// The scalars of a text that is being normalized, and memory for the next ones.
struct ScalarBuffer {
    var current: [UInt32] = []
    private var next: [UInt32] = []
    private var marks: [(kind: Int, place: Int, scalar: UInt32)] = []
    private var part: [Int32] = []
    // One scalar decomposes to at most 18.
    private var one = [Int32](repeating: 0, count: 32)

    mutating func apply(_ step: TextNormalizer.Step) {
        switch step {
        case .clean:
            current.removeAll { BertCharacters.sets(of: $0).contains(.removed) }
            for index in current.indices
            where BertCharacters.sets(of: current[index]).contains(.space) { current[index] = 0x20 }
        case .separateIdeographs:
            next.removeAll(keepingCapacity: true)
            for scalar in current {
                if BertCharacters.sets(of: scalar).contains(.ideograph) {
                    next.append(contentsOf: [0x20, scalar, 0x20])
                } else {
                    next.append(scalar)
                }
            }
            swap(&current, &next)
        case .decompose(let isCompatible): decompose(isCompatible: isCompatible)
        case .compose(let isCompatible):
            decompose(isCompatible: isCompatible)
            compose()
        case .removeNonspacing:
            current.removeAll { BertCharacters.sets(of: $0).contains(.nonspacing) }
        case .removeCombining:
            current.removeAll { BertCharacters.sets(of: $0).contains(.combining) }
        case .lowercase:
            next.removeAll(keepingCapacity: true)
            for scalar in current { BertCharacters.lowercase(scalar) { next.append($0) } }
            swap(&current, &next)
        case .strip(let left, let right):
            func isSpace(_ scalar: UInt32) -> Bool {
                BertCharacters.sets(of: scalar).contains(.space)
            }
            if right { while let last = current.last, isSpace(last) { current.removeLast() } }
            if left { current.removeFirst(current.prefix(while: isSpace).count) }
        }
    }

    private mutating func decompose(isCompatible: Bool) {
        let options =
            UTF8PROC_DECOMPOSE.rawValue | (isCompatible ? UTF8PROC_COMPAT.rawValue : 0)
        next.removeAll(keepingCapacity: true)
        marks.removeAll(keepingCapacity: true)
        for scalar in current {
            if scalar < 0xA0 || BertCharacters.isLater(scalar) {
                append(scalar)
                continue
            }
            let count = utf8proc_decompose_char(
                Int32(bitPattern: scalar), &one, one.count, utf8proc_option_t(options), nil)
            guard count > 0, count <= one.count else {
                append(scalar)
                continue
            }
            for index in 0..<count { append(UInt32(bitPattern: one[index])) }
        }
        appendMarks()
        swap(&current, &next)
    }

    /// Appends a scalar; marks are sorted by their class first.
    private mutating func append(_ scalar: UInt32) {
        let kind = BertCharacters.combiningClass(scalar)
        if kind != 0 {
            marks.append((kind, marks.count, scalar))
        } else {
            if !marks.isEmpty { appendMarks() }
            next.append(scalar)
        }
    }

    private mutating func appendMarks() {
        // Marks of one class keep their order.
        if marks.count > 1 { marks.sort { ($0.kind, $0.place) < ($1.kind, $1.place) } }
        for mark in marks { next.append(mark.scalar) }
        marks.removeAll(keepingCapacity: true)
    }

    private mutating func compose() {
        next.removeAll(keepingCapacity: true)
        part.removeAll(keepingCapacity: true)
        for scalar in current {
            if separates(scalar) { composePart() }
            part.append(Int32(bitPattern: scalar))
            if BertCharacters.hasLaterCompositions(scalar) { composePart() }
        }
        composePart()
        swap(&current, &next)
    }

    /// Whether utf8proc must not see a scalar together with those before it.
    private func separates(_ scalar: UInt32) -> Bool {
        // utf8proc 2.8 drops this vowel after a syllable because it mistakes it for a final consonant.
        if scalar == 0x11A7 || BertCharacters.hasLaterCompositions(scalar) { return true }
        // Marks that were added later do not combine, and block those that follow.
        return scalar >= 0x300 && BertCharacters.combiningClass(scalar) == 0
            && utf8proc_get_property(Int32(bitPattern: scalar)).pointee.combining_class != 0
    }

    private mutating func composePart() {
        guard !part.isEmpty else { return }
        let options = UTF8PROC_STABLE.rawValue | UTF8PROC_COMPOSE.rawValue
        let count = utf8proc_normalize_utf32(&part, part.count, utf8proc_option_t(options))
        for scalar in part.prefix(max(0, count)) { next.append(UInt32(bitPattern: scalar)) }
        part.removeAll(keepingCapacity: true)
    }
}

/// Scalars in valid UTF-8.
enum UTF8Text {
    /// The scalar at an offset, and its length in bytes.
    @inline(__always)
    static func scalar(_ bytes: Span<UInt8>, at place: Int) -> (value: UInt32, length: Int) {
        let first = UInt32(bytes[place])
        if first < 0x80 { return (first, 1) }
        let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        var value = first & (0x7F >> UInt32(length))
        for offset in 1..<length { value = value << 6 | UInt32(bytes[place + offset]) & 0x3F }
        return (value, length)
    }

    /// Appends the encoding of a scalar.
    @inline(__always)
    static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
        func last(_ shift: UInt32) -> UInt8 {
            UInt8(truncatingIfNeeded: scalar >> shift & 0x3F) | 0x80
        }
        switch scalar {
        case ..<0x80: bytes.append(UInt8(truncatingIfNeeded: scalar))
        case ..<0x800:
            bytes.append(UInt8(truncatingIfNeeded: scalar >> 6) | 0xC0)
            bytes.append(last(0))
        case ..<0x10000:
            bytes.append(UInt8(truncatingIfNeeded: scalar >> 12) | 0xE0)
            bytes.append(last(6))
            bytes.append(last(0))
        default:
            bytes.append(UInt8(truncatingIfNeeded: scalar >> 18) | 0xF0)
            bytes.append(last(12))
            bytes.append(last(6))
            bytes.append(last(0))
        }
    }
}
