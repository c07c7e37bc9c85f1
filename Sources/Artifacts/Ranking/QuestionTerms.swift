internal import CKernels

/// Finds the words of a question by their terms.
final class QuestionTerms: Sendable {
    /// The terms in ascending order, and the word of each.
    private let terms: [UInt32]
    private let words: [Int]
    /// For each value of a term's highest 8 bits, the index of the first term that has it or a greater one.
    private let starts: [Int]
    // Few terms of a text are in the question, and the filter excludes nearly all others.
    private let filter: fti_term_filter

    /// Finds the terms of a question's words; where words share a term, the last of them has it.
    init(_ all: [LexicalQuery.Word]) {
        var found: [UInt32: Int] = [:]
        for (index, word) in all.enumerated() { for term in word.terms { found[term] = index } }
        let sorted = found.sorted { $0.key < $1.key }
        var starts = [Int](repeating: 0, count: 257)
        var filter = fti_term_filter()
        for (term, _) in sorted {
            starts[Int(term >> 24) + 1] += 1
            fti_term_filter_add(&filter, term)
        }
        for bits in 1..<starts.count { starts[bits] += starts[bits - 1] }
        terms = sorted.map(\.key)
        words = sorted.map(\.value)
        (self.starts, self.filter) = (starts, filter)
    }

    /// The word that has a term; nil if no word has it.
    func word(of term: UInt32) -> Int? {
        var (low, high) = (starts[Int(term >> 24)], starts[Int(term >> 24) + 1])
        while low < high {
            let middle = (low + high) / 2
            if terms[middle] < term { low = middle + 1 } else { high = middle }
        }
        return low < terms.count && terms[low] == term ? words[low] : nil
    }

    /// Calls `body` with the index of each of the first `count` terms that is in the question, in ascending order, and
    /// its word.
    ///
    /// - Parameter scratch: Room to work in, which may serve many calls.
    @inline(__always)
    func forEachWord(
        in terms: [UInt32], count: Int, scratch: inout [UInt32],
        _ body: (_ index: Int, _ word: Int) -> Void
    ) {
        precondition(count <= terms.count, "there are so many terms")
        if scratch.count < count { scratch = [UInt32](repeating: 0, count: count) }
        var filter = filter
        let found = fti_term_filter_select(&filter, terms, count, &scratch)
        let selected = scratch.span
        for number in 0..<found {
            let index = Int(selected[number])
            if let word = word(of: terms[index]) { body(index, word) }
        }
    }
}
