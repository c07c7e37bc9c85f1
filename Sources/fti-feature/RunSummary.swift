import CommandSupport
import FeaturePipeline
import Objects
import Refs

/// A report for people: what became of the documents, what it cost, and where the result is.
struct RunSummary {
    private let report: RunReport

    /// More remarks of one sort are counted only; `--json` has them all.
    private static let remarkLimit = 10

    init(_ report: RunReport) { self.report = report }

    func write(to output: Output) throws {
        for (title, remarks) in [
            ("not listed completely, nothing removed there", report.gaps),
            ("skipped", report.skipped), ("note", report.notes),
        ] { try note(title, remarks, output) }
        for warning in report.warnings { try output.note(warning) }
        let style = output.style
        let documents = report.documents
        let fates = [
            (documents.added, "added"), (documents.changed, "changed"), (documents.moved, "moved"),
            (documents.removed, "removed"), (documents.unchanged, "unchanged"),
            (documents.kept, "kept unread"),
        ].filter { $0.0 > 0 }.map { "\(Quantity.count($0.0)) \($0.1)" }
        try output.line(
            "\(Quantity.count(documents.total, "document"))"
                + (fates.isEmpty ? "" : ": \(fates.joined(separator: ", "))")
                + (report.skipped.isEmpty
                    ? "" : "; \(Quantity.count(report.skipped.count)) skipped"))
        try output.line(
            "\(Quantity.count(report.chunks, "chunk")): embedded \(Quantity.count(report.embedded))"
                + (report.recovered > 0
                    ? " (\(Quantity.count(report.recovered)) by an interrupted run), " : ", ")
                + "reused \(Quantity.count(report.reused)); "
                + "read \(Quantity.bytes(report.bytesRead)) in "
                + "\(Quantity.decimal(report.seconds, places: 2)) s")
        guard let snapshot = report.snapshot else { return try output.line("nothing to store") }
        let place = "\(style.yellow(snapshot.short)) \(style.cyan(report.ref.text))"
        if let transaction = report.transaction {
            try output.line("\(place), transaction \(transaction)")
        } else {
            try output.line("\(place), unchanged")
        }
    }

    private func note(_ title: String, _ remarks: [Remark], _ output: Output) throws {
        for remark in remarks.prefix(Self.remarkLimit) {
            let path = remark.path.isEmpty ? "the source" : remark.path
            try output.note("\(title): \("\(path) \(remark.reason)".printable())")
        }
        if remarks.count > Self.remarkLimit {
            try output.note(
                "\(title): \(Quantity.count(remarks.count - Self.remarkLimit)) more; --json lists all"
            )
        }
    }
}
