import CommandSupport
import Objects

extension Content {
    /// `1,204 rows of 384 dimensions`, or `3 files, 12.3 MB`.
    var summary: String {
        switch self {
        case .tree(_, let files, let bytes):
            "\(Quantity.count(files, "file")), \(Quantity.bytes(bytes))"
        case .table(_, let rows, let dimension):
            Quantity.count(rows, "row")
                + (dimension > 0 ? " with vectors of \(Quantity.count(dimension))" : "")
        }
    }

    /// What is more or less than before: `+12 rows`; nil where nothing is.
    func change(since before: Content) -> String? {
        switch (before, self) {
        case (.tree(_, let oldFiles, let oldBytes), .tree(_, let files, let bytes)):
            let parts = [
                files == oldFiles ? nil : Self.signed(files - oldFiles, "file"),
                bytes == oldBytes
                    ? nil : (bytes > oldBytes ? "+" : "") + Quantity.bytes(bytes - oldBytes),
            ].compactMap(\.self)
            return parts.isEmpty ? nil : parts.joined(separator: ", ")
        case (.table(_, let oldRows, _), .table(_, let rows, _)):
            return rows == oldRows ? nil : Self.signed(rows - oldRows, "row")
        default: return nil
        }
    }

    private static func signed(_ value: Int, _ noun: String) -> String {
        let plural = value.magnitude == 1 ? noun : noun + "s"
        return "\(value > 0 ? "+" : "")\(Quantity.count(value)) \(plural)"
    }
}

extension Snapshot {
    /// What it holds, in a few words; of a release that is the prompt.
    var summary: String {
        guard kind == .release, case .tree(_, let files, let bytes) = content else {
            return content.summary
        }
        return files == 0 ? "no prompt" : "prompt of \(Quantity.bytes(bytes))"
    }
}
