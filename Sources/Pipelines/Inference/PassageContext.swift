public import Artifacts
internal import Conditions
internal import Objects
internal import Storage

/// A row of the features, and what surrounds it in its document.
public struct PassageContext: Sendable {
    /// The row and its neighbours in the section, in the order of the document.
    public let rows: [FeatureRow]
    /// The index of the row itself in ``rows``.
    public let place: Int
    /// Whether the section begins before the first of ``rows``.
    public let hasEarlier: Bool
    /// Whether the section goes on after the last of ``rows``.
    public let hasLater: Bool
    /// The first rows of the document's sections, by their keys; the first ``QuestionAnswering/sectionLimit``.
    public let sections: [FeatureRow]
}

extension QuestionAnswering {
    /// The most sections of a document that a context lists.
    public static let sectionLimit = 60
    /// The most rows that are read to find the sections of a document.
    private static let scanLimit = 1000

    /// A row, up to `reach` rows on either side of it in its section, and the sections of its document.
    ///
    /// Shows no row that does not satisfy the condition on all answers.
    ///
    /// - Parameter key: The key of the row.
    /// - Returns: Nil where the served features have no such row.
    /// - Throws: `objects`.
    public func context(of key: String, reach: Int) throws(InferenceError) -> PassageContext? {
        try wrapping(as: InferenceError.objects) { () throws(ObjectError) in
            var reader = PermittedRows(versions, condition: retriever.scope.condition)
            guard let row = try reader.row(for: key) else { return nil }
            func neighbours(_ step: Int) throws(ObjectError) -> (rows: [FeatureRow], goesOn: Bool) {
                var found: [FeatureRow] = []
                var beside = row
                while true {
                    let (ordinal, isOverflow) = beside.ordinal.addingReportingOverflow(step)
                    guard !isOverflow, ordinal >= 0 else { return (found, false) }
                    beside.ordinal = ordinal
                    guard let next = try reader.row(for: beside.key) else { return (found, false) }
                    guard found.count < reach else { return (found, true) }
                    found.append(next)
                }
            }
            let before = try neighbours(-1)
            let after = try neighbours(1)
            return PassageContext(
                rows: before.rows.reversed() + [row] + after.rows, place: before.rows.count,
                hasEarlier: before.goesOn, hasLater: after.goesOn,
                sections: try reader.sections(
                    of: row.document, limit: Self.sectionLimit, among: Self.scanLimit))
        }
    }
}

/// The rows of features that may be shown.
private struct PermittedRows {
    private let table: Table
    private let objects: PackStore
    private let condition: Condition?
    private var finder: RowFinder<PackStore>

    init(_ versions: ResolvedVersions, condition: Condition?) {
        (table, objects) = (versions.table, versions.objects)
        self.condition = condition
        finder = RowFinder(versions.table, in: versions.objects)
    }

    mutating func row(for key: String) throws(ObjectError) -> FeatureRow? {
        try finder.row(for: Array(key.utf8)).flatMap { (row) throws(ObjectError) in
            try permitted(row)
        }
    }

    /// The first rows of sections, found among the first rows of the document.
    func sections(
        of document: String, limit: Int, among rows: Int
    ) throws(ObjectError) -> [FeatureRow] {
        let prefix = document + "#"
        var cursor = TableCursor(table, from: prefix, in: objects)
        var found: [FeatureRow] = []
        for _ in 0..<rows where found.count < limit {
            guard let next = try cursor.next(), next.key.utf8.starts(with: prefix.utf8) else {
                break
            }
            guard let row = try permitted(next), row.ordinal == 0 else { continue }
            found.append(row)
        }
        return found
    }

    private func permitted(_ row: TableRow) throws(ObjectError) -> FeatureRow? {
        let record = ConditionRecord(key: row.key, attributes: row.attributes)
        guard condition?.holds(of: record) ?? true else { return nil }
        return try FeatureRow(attributes: row.attributes)
    }
}
