internal import Documents

/// Which of a source's files are documents, and a count of those that are not, by the reason.
struct SourceSelection {
    /// What becomes of a file or a folder.
    enum Verdict {
        case included
        case leftOut
    }

    private let source: DocumentSource
    private var hasMatched: (include: [Bool], exclude: [Bool])
    private var leftOut: [Reason: Int] = [:]

    /// Why something is no document.
    private struct Reason: Hashable {
        let word: String
        var detail: String?
        let isFolder: Bool
    }

    init(_ source: DocumentSource) {
        self.source = source
        hasMatched = (
            source.include.map { _ in false }, source.exclude.map { _ in false }
        )
    }

    /// Takes an entry of the source.
    ///
    /// - Parameters:
    ///   - path: Where it is below the source.
    ///   - name: The last part of that.
    ///   - kind: What it is.
    mutating func judge(_ path: String, name: String, _ kind: FolderEntry.Kind) -> Verdict {
        let isFolder = kind == .folder
        if name.utf8.first == UInt8(ascii: ".") {
            return leave(Reason(word: "hidden", isFolder: isFolder))
        }
        let names = GlobPattern.Path(path)
        if Self.note(source.exclude, names, &hasMatched.exclude) {
            return leave(Reason(word: "excluded", isFolder: isFolder))
        }
        if isFolder || Self.note(source.include, names, &hasMatched.include) { return .included }
        if kind == .link { return leave(Reason(word: "symbolic link", isFolder: false)) }
        let isKnown = DocumentFormat(fileName: name) != nil
        return leave(
            Reason(
                word: isKnown ? "not included" : "format", detail: Self.ending(of: name),
                isFolder: false))
    }

    private mutating func leave(_ reason: Reason) -> Verdict {
        leftOut[reason, default: 0] += 1
        return .leftOut
    }

    /// Whether any pattern fits; those that do are noted.
    private static func note(
        _ patterns: [GlobPattern], _ path: GlobPattern.Path, _ hasMatched: inout [Bool]
    ) -> Bool {
        var fits = false
        for (index, pattern) in patterns.enumerated() where !fits || !hasMatched[index] {
            guard pattern.matches(path) else { continue }
            hasMatched[index] = true
            fits = true
        }
        return fits
    }

    /// A file name's ending as it is reported: in lower case, and none that is too long to be one.
    private static func ending(of name: String) -> String {
        guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return "no ending" }
        let ending = name[dot...].lowercased()
        return 2...16 ~= ending.utf8.count ? ending : "no ending"
    }

    /// What was left out, the most of it first.
    var findings: [Finding] {
        leftOut.map { reason, count in
            Finding(
                .leftOut, reason.word, count, reason.isFolder ? "folders" : "files",
                detail: reason.detail)
        }.sorted {
            ($1.count, $0.reason, $0.unit, $0.detail ?? "")
                < ($0.count, $1.reason, $1.unit, $1.detail ?? "")
        }
    }

    /// The patterns of the configuration that fit nothing, each as the end of a sentence about the source.
    var unmatched: [String] {
        func unmatched(_ key: String, _ patterns: [GlobPattern], _ hasMatched: [Bool]) -> [String] {
            zip(patterns, hasMatched).filter { !$0.1 }.map {
                "has no file for \(key) \"\($0.0.text)\""
            }
        }
        let isDefault = source.include == DocumentSource.defaultInclude
        return (isDefault ? [] : unmatched("include", source.include, hasMatched.include))
            + unmatched("exclude", source.exclude, hasMatched.exclude)
    }
}
