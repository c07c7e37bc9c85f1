/// How candidates are found among all rows.
public enum SearchMode: Hashable, Sendable {
    /// All rows are compared; what is found is what is nearest.
    case exact
    /// All rows are compared although that was not asked for: in a sample of so many queries, preselecting rows missed
    /// too many of the nearest.
    case exactInstead(sample: Int)
    /// Rows are preselected by the signs of their numbers, so that some of the nearest may be missed.
    ///
    /// - Parameters:
    ///   - recall: The part of the nearest rows that was found in a sample of queries.
    ///   - sample: How many queries that were: the beginnings of texts of rows, evenly spread.
    case approximate(recall: Double, sample: Int)
}
