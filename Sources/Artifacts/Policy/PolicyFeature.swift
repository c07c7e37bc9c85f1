/// What the policy looks at in a question and a candidate: each is a number from 0 to 1 or a cosine.
///
/// "Share" means the inverse document frequencies of the question's stems that are found, divided by those
/// of all of the question's stems; stop words do not count.
public enum PolicyFeature: String, CaseIterable, Sendable {
    /// The cosine of the question's and the row's vector.
    case cosine
    /// The mean of the three best cosines among the candidates of the same document.
    case document
    /// The share found in the text.
    case text
    /// The share found in the innermost heading.
    case heading
    /// The share found in the title and the outer headings.
    case title
    /// The part of the innermost heading, by inverse document frequency, found in the question.
    case focus
    /// BM25 of the text (k1 = 1.2, b = 0.75) as a part of its greatest value.
    case frequency
    /// Whether the question's rarest stem is found in the text or a heading.
    case rarest
    /// The part of the question's neighbouring stems that are neighbours in the text.
    case pairs
    /// How close together the question's stems are in the text.
    case proximity
    /// The number of words against the mean: 1/2 for a mean row.
    case length
    /// 1 for the first chunk of a section, 1/2 for the second, and so on.
    case opening

    /// Where its number is in a vector of features.
    public var index: Int { Self.indices[self] ?? 0 }

    private static let indices = Dictionary(
        uniqueKeysWithValues: allCases.enumerated().map { ($1, $0) })
}
