/// What a ranker looks at in a question and a candidate: each is a number from 0 to 1, or a cosine.
///
/// "Share" means what the question's words say that are found, by inverse document frequency, divided by what all of them
/// say; stop words do not count.
public enum Signal: String, CaseIterable, Sendable {
    /// The lexical score as a part of the greatest that the question could have.
    case words
    /// The cosine of the question's and the row's vector.
    case vector
    /// The mean of the three best cosines among the candidates of the same document.
    case document
    /// The share found in the title, the headings or the text.
    case coverage
    /// The share found in the innermost heading, or in the title where there is none.
    case heading
    /// The share found in the title and the outer headings.
    case title
    /// The share of words that stand close behind the one before them in the question.
    case pairs
    /// The number of words against the mean: 1/2 for a mean row.
    case length
    /// 1 for the first chunk of a section, 1/2 for the second, and so on.
    case opening

    /// Where its number is in a vector of signals.
    public var index: Int { Self.indices[self] ?? 0 }

    private static let indices = Dictionary(
        uniqueKeysWithValues: allCases.enumerated().map { ($1, $0) })
}
