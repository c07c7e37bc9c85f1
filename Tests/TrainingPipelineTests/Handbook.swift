import Artifacts
import Glibc
import Objects
import Refs
import Storage
import TestSupport
import Testing

/// The example handbook as a repository with features, built without the feature pipeline.
enum Handbook {
    static let folder = Project.path("Examples/handbook")

    static let writer: Writer = {
        guard let now = Timestamp(milliseconds: 1_780_000_000_000) else {
            preconditionFailure("the moment is in range")
        }
        return Writer(name: "test", now: { now })
    }()

    /// Embedding takes the most time in an unoptimised build, so it is done once.
    private static let tableRows = Result { try embedded(try rows(edition: "edition-1")) }

    /// A repository whose `features/prod` holds the Markdown pages of the first edition.
    static func repository() throws -> Repository {
        let repository = try Repository.create(in: MemoryBucket(), writer: writer)
        try addFeatures(to: repository, rows: try tableRows.get())
        return repository
    }

    /// A repository whose `features/prod` holds some rows.
    static func repository(of rows: [FeatureRow]) throws -> Repository {
        let repository = try Repository.create(in: MemoryBucket(), writer: writer)
        try addFeatures(to: repository, rows: try embedded(rows))
        return repository
    }

    /// Points `features/prod` at other rows.
    static func replaceFeatures(of repository: Repository, with rows: [FeatureRow]) throws {
        try addFeatures(to: repository, rows: try embedded(rows))
    }

    private static func embedded(_ rows: [FeatureRow]) throws -> [TableRow] {
        let embedder = try BuiltinEmbedder(dimension: 256)
        return rows.map { row in
            TableRow(
                key: row.key, attributes: row.attributes,
                vector: embedder.embed(row.embeddingText, as: .document))
        }
    }

    private static func addFeatures(to repository: Repository, rows: [TableRow]) throws {
        let transaction = try repository.begin(writer: writer)
        let embedder = try BuiltinEmbedder(dimension: 256)
        let space = try embedder.space.write(to: transaction.objects)
        let table = try Table.build(rows: rows, dimension: 256, in: transaction.objects)
        let snapshot = Snapshot(
            kind: .features,
            content: .table(table),
            producer: .init(pipeline: "test", version: "1"), space: space, created: writer.now())
        let id = try transaction.objects.write(snapshot.encoded, hint: .structured)
        _ = try transaction.commit(
            [RefUpdate(try RefName("features/prod"), new: id)], message: "features")
    }

    /// One row per section, from the Markdown pages only.
    static func rows(edition: String) throws -> [FeatureRow] {
        var rows: [FeatureRow] = []
        let root = "\(folder)/\(edition)"
        for topic in try names(in: root) {
            for page in try names(in: "\(root)/\(topic)") where page.hasSuffix(".md") {
                let file = try InputFile(opening: "\(root)/\(topic)/\(page)")
                let bytes = try file.read(at: 0, count: file.size)
                rows += sections(
                    String(decoding: bytes, as: UTF8.self), document: "\(topic)/\(page)")
            }
        }
        return rows
    }

    private static func sections(
        _ text: String, document: String
    ) -> [FeatureRow] {
        var rows: [FeatureRow] = []
        var title = ""
        for line in text.split(separator: "\n") {
            if line.hasPrefix("#") {
                let heading = String(line.drop { $0 == "#" || $0 == " " })
                if title.isEmpty { title = heading }
                let slug = heading.lowercased().filter {
                    $0.isLetter || $0.isNumber || $0 == " " || $0 == "-"
                }
                .map { $0 == " " ? "-" : $0 }
                rows.append(
                    FeatureRow(
                        document: document, title: title, section: String(slug),
                        headings: heading == title ? [title] : [title, heading], ordinal: 0,
                        text: ""))
            } else if !rows.isEmpty {
                rows[rows.count - 1].text += line + "\n"
            }
        }
        return rows
    }

    private static func names(in directory: String) throws -> [String] {
        var names: [String] = []
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }
}
