public import Documents
internal import Objects

/// How much of one kind was left out, cut, replaced, guessed or not understood over all documents of a run.
public struct FindingTotal: Hashable, Sendable {
    /// What became of it.
    public let fate: Finding.Fate
    /// What it was.
    public let reason: String
    /// The ending of the names, where it is files that are no documents.
    public let ending: String?
    /// How much of it there was.
    public private(set) var count: Int
    /// What is counted, in the plural.
    public let unit: String
    /// How many documents had any of it; 0 where it is files that are no documents.
    public private(set) var documents: Int

    /// What is counted together.
    private struct Key: Hashable {
        let fate: Finding.Fate
        let reason: String
        let unit: String
        let ending: String?
    }

    /// The totals of a run, by fate, and of each fate what most documents have first.
    ///
    /// - Parameters:
    ///   - notes: What was found in documents, those of one document together.
    ///   - leftOut: What of the sources is no document.
    ///   - skipped: The documents that could not be read.
    static func all(notes: [Remark], leftOut: [Remark], skipped: [Remark]) -> [FindingTotal] {
        var totals: [Key: FindingTotal] = [:]
        var last: [Key: String] = [:]
        func add(_ finding: Finding, ending: String?, document: String?) {
            let key = Key(
                fate: finding.fate, reason: finding.reason, unit: finding.unit, ending: ending)
            var total =
                totals[key]
                ?? FindingTotal(
                    fate: finding.fate, reason: finding.reason, ending: ending, count: 0,
                    unit: finding.unit, documents: 0)
            total.count += finding.count
            if let document, last.updateValue(document, forKey: key) != document {
                total.documents += 1
            }
            totals[key] = total
        }
        for note in notes {
            if let finding = note.finding { add(finding, ending: nil, document: note.path) }
        }
        for remark in leftOut {
            if let finding = remark.finding { add(finding, ending: finding.detail, document: nil) }
        }
        for remark in skipped {
            add(Finding(.leftOut, "unreadable", 1, "files"), ending: nil, document: remark.path)
        }
        let fates = Finding.Fate.allCases
        return totals.values.sorted { a, b in
            let order = (fates.firstIndex(of: a.fate) ?? 0, fates.firstIndex(of: b.fate) ?? 0)
            if order.0 != order.1 { return order.0 < order.1 }
            if a.documents != b.documents { return a.documents > b.documents }
            if a.count != b.count { return a.count > b.count }
            return (a.reason, a.unit, a.ending ?? "") < (b.reason, b.unit, b.ending ?? "")
        }
    }

    /// The total as `--json` prints it.
    var json: JSON {
        var object = JSONObject()
        object["fate"] = .string(fate.rawValue)
        object["reason"] = .string(reason)
        object["count"] = .integer(count)
        object["unit"] = .string(unit)
        object["documents"] = .integer(documents)
        if let ending { object["ending"] = .string(ending) }
        return .object(object)
    }
}
