internal import CUTF8Proc

/// Brings one stretch of scalars after the other into a form of Unicode.
///
/// A stretch begins with a scalar of which ``Characters/beginsStretch(_:)`` says so: nothing before
/// it changes with what follows. Takes time in proportion to n log n for a stretch of n marks,
/// where the library itself would take n².
struct Normalizer {
    enum Form {
        /// Normal form C.
        case composed
        /// Normal form KC of the case-folded text without what is ignored by default.
        case matched
    }

    private let form: Form
    /// The stretch as it was given.
    private var given: [UInt32] = []
    private var scalars: [Int32] = []
    private var folded: [Int32] = []
    // One scalar becomes 18 at most.
    private var one = [Int32](repeating: 0, count: 64)
    private var order: [(kind: Int, place: Int, scalar: Int32)] = []

    init(_ form: Form) { self.form = form }

    /// Whether the stretch has no scalars yet.
    var isEmpty: Bool { given.isEmpty }

    /// Adds a scalar to the stretch.
    mutating func append(_ scalar: UInt32) { given.append(scalar) }

    /// Gives the scalars of the stretch in the form, and begins another.
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
            // Folding after decomposition: a mark below, such as the iota subscript, may become a
            // letter.
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

    /// Puts neighbouring marks into the order of their classes, those of one class as they stand.
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
