internal import CUTF8Proc

/// Converts texts to Unicode normalization forms, with utf8proc.
public enum TextForm {
    /// The version of Unicode that defines forms, letters and marks, such as `14.0.0`.
    public static var unicodeVersion: String { String(cString: utf8proc_unicode_version()) }

    /// Converts a text to normal form C, for storage. A text already in that form is returned unchanged.
    public static func composed(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 })
            || text.unicodeScalars.allSatisfy({ Characters.isComposed($0.value) })
        {
            return text
        }
        let composed = mapped(text, to: .composed)
        return composed.utf8.elementsEqual(text.utf8) ? text : composed
    }

    /// Converts a text to the matched form: normal form KC, case-folded, without invisible characters such as soft
    /// hyphens and zero-width spaces.
    ///
    /// Decomposed and composed spellings, full-width letters, ligatures and capitals all map to the same form. The
    /// conversion is idempotent.
    public static func matched(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.lowercased() }
        return mapped(text, to: .matched)
    }

    private static func mapped(_ text: String, to form: Normalizer.Form) -> String {
        var normalizer = Normalizer(form)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            // A stretch ends where no later scalar can affect it.
            if !normalizer.isEmpty, Characters.beginsStretch(scalar.value) {
                normalizer.finish { Characters.append($0, to: &bytes) }
            }
            normalizer.append(scalar.value)
        }
        normalizer.finish { Characters.append($0, to: &bytes) }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Converts stretches of scalars to a Unicode form, one after the other.
///
/// A stretch begins with a scalar for which ``Characters/beginsStretch(_:)`` holds: nothing before that scalar
/// depends on what follows. A stretch of n marks takes time proportional to n log n, where utf8proc alone would take
/// n².
struct Normalizer {
    enum Form {
        /// Normal form C.
        case composed
        /// Normal form KC of the case-folded text, without default ignorable characters.
        case matched
    }

    private let form: Form
    /// The original scalars of the stretch.
    private var given: [UInt32] = []
    private var scalars: [Int32] = []
    private var folded: [Int32] = []
    // One scalar expands to at most 18.
    private var one = [Int32](repeating: 0, count: 64)
    private var order: [(kind: Int, place: Int, scalar: Int32)] = []

    init(_ form: Form) { self.form = form }

    var isEmpty: Bool { given.isEmpty }

    mutating func append(_ scalar: UInt32) { given.append(scalar) }

    /// Passes the converted scalars of the stretch to `body`, and begins another stretch.
    mutating func finish(_ body: (UInt32) -> Void) {
        guard let first = given.first else { return }
        defer { given.removeAll(keepingCapacity: true) }
        if given.count == 1, first < 0x80 || (form == .composed && Characters.isComposed(first)) {
            body(form == .matched && first &- 0x41 < 26 ? first | 0x20 : first)
            return
        }
        scalars.removeAll(keepingCapacity: true)
        for scalar in given {
            Self.decompose(
                Int32(bitPattern: scalar), UTF8PROC_DECOMPOSE.rawValue, &one, to: &scalars)
        }
        sortMarks()
        if form == .matched {
            // Folding follows decomposition: a mark below a letter, such as the iota subscript, can become a letter.
            folded.removeAll(keepingCapacity: true)
            for scalar in scalars { Self.decompose(scalar, Self.matching, &one, to: &folded) }
            swap(&scalars, &folded)
            sortMarks()
        }
        let composed = utf8proc_normalize_utf32(
            &scalars, scalars.count, utf8proc_option_t(Self.composing))
        for scalar in scalars.prefix(max(0, composed)) { body(UInt32(bitPattern: scalar)) }
    }

    private static let composing = UTF8PROC_STABLE.rawValue | UTF8PROC_COMPOSE.rawValue
    private static let matching =
        UTF8PROC_COMPAT.rawValue | UTF8PROC_DECOMPOSE.rawValue | UTF8PROC_CASEFOLD.rawValue
        | UTF8PROC_IGNORE.rawValue

    private static func decompose(
        _ scalar: Int32, _ options: UInt32, _ one: inout [Int32], to scalars: inout [Int32]
    ) {
        let count = utf8proc_decompose_char(
            scalar, &one, one.count, utf8proc_option_t(options), nil)
        guard count >= 0, count <= one.count else { return }
        scalars.append(contentsOf: one[..<count])
    }

    /// Sorts neighbouring marks by combining class; marks of one class keep their order.
    private mutating func sortMarks() {
        guard scalars.count > 1 else { return }
        var start = 0
        while start < scalars.count {
            order.removeAll(keepingCapacity: true)
            var isSorted = true
            while start + order.count < scalars.count {
                let scalar = scalars[start + order.count]
                let kind = Characters.combiningClass(scalar)
                guard kind != 0 else { break }
                if let last = order.last, last.kind > kind { isSorted = false }
                order.append((kind, order.count, scalar))
            }
            if !isSorted {
                order.sort { ($0.kind, $0.place) < ($1.kind, $1.place) }
                for (offset, mark) in order.enumerated() { scalars[start + offset] = mark.scalar }
            }
            start += order.count + 1
        }
    }
}
