import CommandSupport
import Documents
import FeaturePipeline
import Objects
import Refs

/// Summarises a run for people: the documents, the cost, and the result.
struct RunSummary {
    private let report: RunReport
    private let isVerbose: Bool

    /// The most remarks of one kind to print without `--verbose`.
    private static let remarkLimit = 10

    init(_ report: RunReport, isVerbose: Bool) {
        self.report = report
        self.isVerbose = isVerbose
    }

    func write(to output: Output) throws {
        for (title, remarks) in [
            ("listed incompletely, nothing removed there", report.gaps),
            ("skipped", report.skipped), ("matches nothing", unmatched),
        ] { try note(title, remarks, output) }
        try writeFindings(to: output)
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
            "\(Quantity.count(report.chunks, "chunk")): "
                + "\(report.isPreview ? "to embed" : "embedded") \(Quantity.count(report.embedded))"
                + (report.recovered > 0
                    ? " (\(Quantity.count(report.recovered)) from an interrupted run), " : ", ")
                + "reused \(Quantity.count(report.reused)); "
                + "read \(Quantity.bytes(report.bytesRead)) in "
                + "\(Quantity.decimal(report.seconds, places: 2)) s")
        if report.isPreview {
            return try output.line("\(style.cyan(report.ref.text)): dry run, nothing written")
        }
        guard let snapshot = report.snapshot else { return try output.line("nothing to store") }
        let place = "\(style.yellow(snapshot.short)) \(style.cyan(report.ref.text))"
        if let transaction = report.transaction {
            try output.line("\(place), transaction \(transaction)")
        } else {
            try output.line("\(place), unchanged")
        }
    }

    /// Patterns and sources without a match, except sources whose listing is incomplete.
    private var unmatched: [Remark] {
        report.unmatched.filter { remark in !report.gaps.contains { $0.path == remark.path } }
    }

    /// Writes the findings: totals by reason, or every finding with `--verbose`.
    private func writeFindings(to output: Output) throws {
        if isVerbose {
            for remark in report.notes + report.leftOut { try note(nil, remark, output) }
            return
        }
        let totals = report.totals
        let files = totals.filter { $0.documents == 0 }
        let findings = totals.filter { $0.documents > 0 && $0.reason != "unreadable" }
        for total in findings.prefix(Self.remarkLimit) {
            try output.note(Self.sentence(total).printable())
        }
        if findings.count > Self.remarkLimit {
            try output.note(
                "\(Quantity.count(findings.count - Self.remarkLimit)) more kinds; --verbose lists all"
            )
        }
        guard !files.isEmpty else { return }
        let parts = files.prefix(Self.remarkLimit).map(Self.part)
        let more = files.count > parts.count ? ", and others" : ""
        try output.note("no documents: \(parts.joined(separator: ", "))\(more)".printable())
    }

    /// A total as a sentence, such as `left out: 1,234 words of navigation in 53 documents`.
    private static func sentence(_ total: FindingTotal) -> String {
        let isNamed = total.unit.utf8.starts(with: total.reason.utf8)
        let what =
            switch total.unit {
            case "documents": "\(quantity(total)) (\(total.reason))"
            case "files": Quantity.count(total.count, "\(total.reason) file")
            default: quantity(total) + (isNamed ? "" : " of \(total.reason)")
            }
        let place = "in " + Quantity.count(total.documents, "document")
        return "\(total.fate.phrase): \(what)\(total.unit == "documents" ? "" : " \(place)")"
    }

    /// A count of files, such as `12 .png` or `3 hidden files`.
    private static func part(_ total: FindingTotal) -> String {
        switch total.reason {
        case "format": "\(Quantity.count(total.count)) \(total.ending ?? "others")"
        case "not included": "\(Quantity.count(total.count)) \(total.ending ?? "") not included"
        default:
            "\(Quantity.count(total.count)) \(total.reason) "
                + (total.count == 1 ? String(total.unit.dropLast()) : total.unit)
        }
    }

    private static func quantity(_ total: FindingTotal) -> String {
        let noun =
            total.unit.utf8.last == UInt8(ascii: "s") ? total.unit.dropLast() : total.unit[...]
        return Quantity.count(total.count, String(noun))
    }

    private func note(_ title: String?, _ remark: Remark, _ output: Output) throws {
        let path = remark.path.isEmpty ? "the source" : remark.path
        let text = "\(path) \(remark.reason)".printable()
        try output.note(title.map { "\($0): \(text)" } ?? text)
    }

    private func note(_ title: String, _ remarks: [Remark], _ output: Output) throws {
        let shown = isVerbose ? remarks[...] : remarks.prefix(Self.remarkLimit)
        for remark in shown { try note(title, remark, output) }
        if remarks.count > shown.count {
            try output.note(
                "\(title): \(Quantity.count(remarks.count - shown.count)) more; --verbose lists all"
            )
        }
    }
}

/// The progress line of a run.
enum ProgressText {
    static func of(_ progress: RunProgress, after time: Duration) -> String {
        let files =
            "read \(Quantity.count(progress.filesRead)) of \(Quantity.count(progress.files, "file"))"
        let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18
        guard progress.made > 0, seconds > 0 else { return files }
        let rate = Double(progress.made) / seconds
        var text =
            "embedded \(Quantity.count(progress.made)) of \(Quantity.count(progress.wanted, "chunk")), "
            + "\(Quantity.decimal(rate, places: rate < 10 ? 1 : 0))/s"
        if progress.wanted > progress.made {
            text += ", \(duration(Double(progress.wanted - progress.made) / rate)) left"
        }
        return text
    }

    private static func duration(_ seconds: Double) -> String {
        switch seconds {
        case ..<90: "about \(Quantity.count(Int(seconds.rounded(.up)))) s"
        case ..<5400: "about \(Quantity.count(Int((seconds / 60).rounded()))) min"
        default: "about \(Quantity.decimal(min(seconds, 1e9) / 3600, places: 1)) h"
        }
    }
}
