import Artifacts
import CommandSupport
import Objects
import Refs
import Storage

/// An answer, compared with the objects that its record names.
struct AnswerCheck {
    /// How something in the record compares with the repository.
    enum Verdict: String {
        /// It is stored as the record has it.
        case asStored = "as stored"
        /// The repository has something else.
        case differs
        /// It is no longer in the repository that the answer came from.
        case collected
        /// It is not in this repository, which is not the one that the answer came from.
        case missing
    }

    /// A version that the record names.
    struct Version {
        /// Its role, such as `features`.
        let role: String
        let id: ObjectID
        let verdict: Verdict
        /// How it differs; nil if it does not.
        let difference: String?
    }

    /// A passage of the record.
    struct Passage {
        let recorded: AnswerRecord.Passage
        let isCited: Bool
        let verdict: Verdict
        /// The members that differ from the stored row.
        let differences: [String]
        /// Where the row comes from; nil if the row is not stored.
        let origin: Origin?
    }

    /// Where a row comes from.
    struct Origin {
        /// The digest of the source document's bytes; nil if the features have no cursor that records it.
        let digest: ObjectID?
        /// The version since which the row has been unchanged.
        let row: PartOrigin
    }

    let record: AnswerRecord
    /// Whether this is the repository that the answer came from.
    let isHere: Bool
    let versions: [Version]
    let passages: [Passage]
    /// The features snapshot; nil if it is not stored.
    let features: Snapshot?

    /// Whether something in the record differs from the repository.
    var hasDifferences: Bool {
        versions.contains { $0.verdict == .differs } || passages.contains { $0.verdict == .differs }
    }

    /// Compares a record with a repository.
    static func make(_ record: AnswerRecord, in repository: OpenRepository) throws -> AnswerCheck {
        let isHere = record.versions.repository.utf8.elementsEqual(
            repository.state.repositoryID.hex.utf8)
        let reader = VersionReader(record, repository, absent: isHere ? .collected : .missing)
        let versions = try reader.versions()
        let features = try? reader.snapshot(record.versions.features, .features).get()
        return AnswerCheck(
            record: record, isHere: isHere, versions: versions,
            passages: try record.passages.map { try reader.check($0, in: features) },
            features: features)
    }
}

/// Reads what the record of an answer names.
private struct VersionReader {
    private let record: AnswerRecord
    private let repository: OpenRepository
    /// The verdict about objects that are not stored.
    private let absent: AnswerCheck.Verdict

    /// Why a version is not as the record says.
    struct Objection: Error {
        let verdict: AnswerCheck.Verdict
        let reason: String?
    }

    init(_ record: AnswerRecord, _ repository: OpenRepository, absent: AnswerCheck.Verdict) {
        self.record = record
        self.repository = repository
        self.absent = absent
    }

    func versions() throws -> [AnswerCheck.Version] {
        let named = record.versions
        var versions: [AnswerCheck.Version] = []
        func add(_ role: String, _ id: ObjectID?, _ check: (ObjectID) throws -> Objection?) throws {
            guard let id else { return }
            let objection = try check(id)
            versions.append(
                AnswerCheck.Version(
                    role: role, id: id, verdict: objection?.verdict ?? .asStored,
                    difference: objection?.reason))
        }
        try add("release", named.release) { try objection(toRelease: $0) }
        try add("features", named.features) { id in
            switch try snapshot(id, .features) {
            case .failure(let objection): objection
            case .success(let snapshot):
                snapshot.space == named.space ? nil : differs("its space is another one")
            }
        }
        for (role, id) in [
            ("ranker", named.ranker), ("reranker", record.rerank?.model),
            ("generator", record.generator.snapshot),
        ] {
            try add(role, id) { id in
                if case .failure(let objection) = try snapshot(id, .model) {
                    objection
                } else {
                    nil
                }
            }
        }
        try add("space", named.space) { id in try read { _ = try EmbeddingSpace(id, in: $0) } }
        try add("prompt", record.prompt?.id) { try objection(toPrompt: $0) }
        return versions
    }

    private func differs(_ reason: String) -> Objection {
        Objection(verdict: .differs, reason: reason)
    }

    /// Reads objects; returns an objection if they are not stored, or are not what they should be.
    private func read(_ body: (PackStore) throws -> Void) throws -> Objection? {
        do {
            try body(try repository.objects)
            return nil
        } catch let error as any Diagnosable where error.fault == .missing {
            return Objection(verdict: absent, reason: nil)
        } catch ObjectError.malformed(_, _, let reason, _) {
            return differs(reason)
        } catch RefError.misfit(let reason, _) {
            return differs(reason)
        } catch RefError.notARelease(_, let reason) { return differs("it \(reason)") }
    }

    func snapshot(
        _ id: ObjectID, _ kind: Snapshot.Kind
    ) throws -> Result<Snapshot, Objection> {
        var found: Snapshot?
        if let objection = try read({ found = try Snapshot(id, in: $0) }) {
            return .failure(objection)
        }
        guard let found, found.kind == kind else {
            return .failure(differs("it is a \(found?.kind.rawValue ?? "") snapshot"))
        }
        return .success(found)
    }

    private func release() throws -> Release? {
        guard let id = record.versions.release,
            case .success(let snapshot) = try snapshot(id, .release)
        else { return nil }
        var release: Release?
        _ = try read { release = try Release(of: snapshot, in: $0) }
        return release
    }

    private func objection(toRelease id: ObjectID) throws -> Objection? {
        if case .failure(let objection) = try snapshot(id, .release) { return objection }
        guard let roles = try release()?.roles else { return nil }
        let named = record.versions
        let pairs = [
            ("features", roles.features, named.features), ("ranker", roles.ranker, named.ranker),
            ("reranker", roles.reranker, record.rerank?.model),
            ("generator", roles.generator, record.generator.snapshot ?? roles.generator),
        ]
        let others = pairs.filter { $0.1 != $0.2 }.map(\.0)
        return others.isEmpty
            ? nil : differs("it binds another \(others.joined(separator: " and another "))")
    }

    /// Compares the hash of the prompt with the prompt that the release binds, or else with the built-in one.
    private func objection(toPrompt id: ObjectID) throws -> Objection? {
        if record.versions.release != nil, try release() == nil {
            return Objection(verdict: absent, reason: nil)
        }
        guard let bound = try release()?.roles.prompt else {
            return id == Prompt.builtin.id ? nil : differs("it is not the built-in prompt")
        }
        var stored: ObjectID?
        let objection = try read { objects in
            let bytes = try objects.read(bound.id, limit: Release.fileLimit)
            stored = (try? Prompt(file: bound.form.rawValue, bytes))?.id
        }
        if let objection { return objection }
        return stored == id ? nil : differs("the release binds another prompt")
    }

    /// Compares a passage with the row of the features that it was.
    func check(
        _ passage: AnswerRecord.Passage, in features: Snapshot?
    ) throws -> AnswerCheck.Passage {
        func result(
            _ verdict: AnswerCheck.Verdict, _ differences: [String] = [],
            _ origin: AnswerCheck.Origin? = nil
        ) -> AnswerCheck.Passage {
            AnswerCheck.Passage(
                recorded: passage, isCited: record.citations.shown.contains(passage.number),
                verdict: verdict, differences: differences, origin: origin)
        }
        guard let features, let table = features.content.table else { return result(absent) }
        var found: TableRow?
        if let objection = try read({ found = try table.row(for: passage.key, in: $0) }) {
            return result(objection.verdict)
        }
        guard let found else { return result(.differs, ["key"]) }
        guard let row = try? FeatureRow(attributes: found.attributes) else {
            return result(.differs, ["attributes"])
        }
        let stored = AnswerRecord.Passage(
            row, number: passage.number, score: passage.score, similarity: passage.similarity,
            vectorRank: passage.vectorRank, wordsRank: passage.wordsRank, rerank: passage.rerank)
        let (left, right) = (passage.json, stored.json)
        let differences = Set(left.keys + right.keys).filter { left[$0] != right[$0] }.sorted()
        let origin = AnswerCheck.Origin(
            digest: try digest(of: passage.document, in: features),
            row: try PartOrigin.find(
                .row(key: passage.key), path: passage.key, of: record.versions.features,
                in: repository))
        return result(differences.isEmpty ? .asStored : .differs, differences, origin)
    }

    /// The digest of a document, from the features' cursor.
    private func digest(of document: String, in features: Snapshot) throws -> ObjectID? {
        guard let cursor = features.cursor?.table else { return nil }
        var entry: TableRow?
        _ = try read { entry = try cursor.row(for: document, in: $0) }
        return entry?.attributes["digest"]?.string.flatMap { ObjectID(hex: $0) }
    }
}

extension AnswerRecord.Generator {
    /// The model snapshot that the release binds, if it binds one.
    fileprivate var snapshot: ObjectID? {
        if case .openAI(_, let snapshot, _, _, _) = self { snapshot } else { nil }
    }
}
