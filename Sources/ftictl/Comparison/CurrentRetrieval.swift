import Artifacts
import CommandSupport
import Conditions
import Objects
import Refs
import Storage

/// What versions in production retrieve for the question of an answer.
struct CurrentRetrieval {
    /// A chunk that is retrieved now.
    struct Hit {
        /// Its rank, from 1.
        let number: Int
        let row: FeatureRow
        let score: Double
        /// Its number in the answer; nil if the answer did not have it.
        let before: Int?
        /// Whether its text is no longer the one of the answer.
        let isChanged: Bool
    }

    /// The chunks found, and those of the answer that were not.
    struct Outcome {
        let hits: [Hit]
        let gone: [AnswerRecord.Passage]
    }

    /// Why nothing was retrieved.
    struct Obstacle: Error {
        let message: String
        let remedy: String?

        init(_ message: String, remedy: String? = nil) {
            self.message = message
            self.remedy = remedy
        }

        init(_ error: any Diagnosable) { self.init(error.message, remedy: error.remedy) }
    }

    /// The versions that are asked.
    struct Versions {
        /// The revisions that named them.
        let names: String
        /// The release that binds the others; nil if the revisions named none.
        let release: ObjectID?
        let features: ObjectID
        /// Nil for the untrained ranker.
        let ranker: ObjectID?
        /// The model that reorders what the ranker finds; nil where none does.
        let reranker: ObjectID?

        /// The revisions of the features and the ranker.
        fileprivate var namesWithRanker: String {
            "\(names) with \(ranker == nil ? "the untrained ranker" : CurrentRetrieval.usualRanker)"
        }
    }

    /// The revisions that were asked.
    let names: String
    /// The versions; nil if the revisions name none.
    let versions: Versions?
    let outcome: Result<Outcome, Obstacle>

    /// Retrieves again what the answer was made from.
    ///
    /// - Parameters:
    ///   - against: The revision of a release, or of features; nil for `recorded`.
    ///   - recorded: The ref that the answer was served from, if its record names it.
    /// - Throws: An error about `against`.
    static func make(
        for record: AnswerRecord, against: String?, recorded: String?,
        in repository: OpenRepository, verified: VerifiedLeaves, segments: SegmentCache
    ) throws -> CurrentRetrieval {
        let versions: Versions
        do {
            versions = try Self.versions(
                against ?? recorded, reranker: record.rerank?.model, in: repository)
        } catch let error as any Diagnosable where against == nil {
            return CurrentRetrieval(
                names: recorded ?? usualFeatures, versions: nil, outcome: .failure(Obstacle(error)))
        }
        let search = VersionSearch(versions, repository, verified, segments)
        let outcome: Result<Outcome, Obstacle>
        do { outcome = .success(try search.retrieve(record)) } catch let obstacle as Obstacle {
            outcome = .failure(obstacle)
        }
        return CurrentRetrieval(
            names: against ?? recorded ?? versions.namesWithRanker, versions: versions,
            outcome: outcome)
    }

    private static let usualFeatures = "features/prod"
    fileprivate static let usualRanker = "models/current"

    /// - Parameter reranker: The reranker of the answer, which reorders features that no release binds.
    private static func versions(
        _ name: String?, reranker: ObjectID?, in repository: OpenRepository
    ) throws -> Versions {
        let id = try repository.snapshotID(name ?? usualFeatures)
        let snapshot = try repository.snapshot(id)
        switch snapshot.kind {
        case .release:
            let roles = try Release(of: snapshot, in: try repository.objects).roles
            return Versions(
                names: name ?? "", release: id, features: roles.features, ranker: roles.ranker,
                reranker: roles.reranker)
        case .features:
            // Without a trained ranker, the untrained one shows what is found.
            let ranker = repository.state.target(of: try RefName(usualRanker))
            return Versions(
                names: name ?? usualFeatures, release: nil, features: id, ranker: ranker,
                reranker: reranker)
        case .dataset, .model:
            throw CommandError.usage(
                "\(name ?? "") names a \(snapshot.kind.rawValue) snapshot",
                remedy: "name a release or features, such as --against releases/prod")
        }
    }
}

/// Searches the features of some versions.
private struct VersionSearch {
    private let versions: CurrentRetrieval.Versions
    private let repository: OpenRepository
    private let verified: VerifiedLeaves
    private let segments: SegmentCache

    init(
        _ versions: CurrentRetrieval.Versions, _ repository: OpenRepository,
        _ verified: VerifiedLeaves, _ segments: SegmentCache
    ) {
        self.versions = versions
        self.repository = repository
        self.verified = verified
        self.segments = segments
    }

    /// Finds the chunks for the question of an answer, as many as the answer had, with the settings of its retrieval.
    func retrieve(_ record: AnswerRecord) throws -> CurrentRetrieval.Outcome {
        let objects = try repository.objects
        let features = try repository.snapshot(versions.features)
        guard let table = features.content.table, let id = features.space else {
            throw CurrentRetrieval.Obstacle("\(versions.names) has no vectors")
        }
        let space = try EmbeddingSpace(id, in: objects)
        let revision = versions.release == nil ? "--features" : "--release"
        guard space.isBuiltin else {
            throw CurrentRetrieval.Obstacle(
                space.isService
                    ? "the vectors of \(versions.names) come from an embedding service, and ftictl "
                        + "has no network"
                    : "the vectors of \(versions.names) come from the model \(space.embedder), which "
                        + "ftictl cannot run",
                remedy: "fti-inference ask QUESTION \(revision) \(versions.names)")
        }
        if let reranker = versions.reranker {
            let named = versions.release == nil ? " --reranker \(reranker.short)" : ""
            throw CurrentRetrieval.Obstacle(
                "the order of the passages is made by the reranker \(reranker.short), which ftictl "
                    + "cannot run",
                remedy: "fti-inference ask QUESTION \(revision) \(versions.names)\(named)")
        }
        let vector: [Float]
        do {
            vector = try space.availableEmbedder().embed(record.searched, as: .query)
        } catch { throw CurrentRetrieval.Obstacle(error) }
        let ranker =
            try versions.ranker.map { try Ranker($0, in: objects) }
            ?? Ranker.untrained(for: space)
        guard ranker.space == id else {
            throw CurrentRetrieval.Obstacle(
                "the ranker needs embedding space \(ranker.space.short), and the features have "
                    + id.short)
        }
        let index = try FeatureIndex.open(
            table, schema: AttributeSchema(params: features.params), index: features.index,
            in: objects, verified: verified, segments: segments)
        let retrieval = HybridRetrieval(
            ranker.with(record.retrieval, space: space), in: index, of: space)
        let found = try retrieval.find(
            record.searched, vector: vector,
            count: max(record.passages.count, record.retrieval.k),
            among: try rows(record, of: index, in: objects), in: objects)
        return compare(found.ranked[...], with: record.passages)
    }

    /// The rows that satisfy the condition of an answer; nil for all.
    private func rows(
        _ record: AnswerRecord, of index: FeatureIndex, in objects: PackStore
    ) throws -> RowSet? {
        guard let text = record.condition else { return nil }
        do {
            let condition = try index.checked(try Condition(text), in: objects).get()
            return try index.rows(where: condition, in: objects)
        } catch let error as ConditionError { throw CurrentRetrieval.Obstacle(error) }
    }

    private func compare(
        _ ranked: ArraySlice<HybridRetrieval.RankedCandidate>,
        with passages: [AnswerRecord.Passage]
    ) -> CurrentRetrieval.Outcome {
        func isSame(_ passage: AnswerRecord.Passage, _ row: FeatureRow) -> Bool {
            passage.key.utf8.elementsEqual(row.key.utf8)
        }
        let hits = ranked.enumerated().map { place, found in
            let before = passages.first { isSame($0, found.row) }
            return CurrentRetrieval.Hit(
                number: place + 1, row: found.row, score: found.score, before: before?.number,
                isChanged: before.map { !$0.text.utf8.elementsEqual(found.row.text.utf8) }
                    ?? false)
        }
        return CurrentRetrieval.Outcome(
            hits: hits,
            gone: passages.filter { passage in
                !ranked.contains { isSame(passage, $0.row) }
            })
    }
}

extension CurrentRetrieval {
    /// The member `now` of `explain --json`.
    var json: JSON {
        var object = JSONObject()
        object["against"] = .string(names)
        object["release"] = .id(versions?.release)
        object["features"] = .id(versions?.features)
        object["ranker"] = .id(versions?.ranker)
        object["reranker"] = .id(versions?.reranker)
        var obstacle: Obstacle?
        var outcome: Outcome?
        switch self.outcome {
        case .success(let found): outcome = found
        case .failure(let reason): obstacle = reason
        }
        object["reason"] = obstacle.map { .string($0.message) } ?? .null
        object["remedy"] = obstacle?.remedy.map { .string($0) } ?? .null
        object["passages"] = outcome.map { .array($0.hits.map(\.json)) } ?? .null
        object["gone"] =
            outcome.map { outcome in
                .array(
                    outcome.gone.map { ["number": .integer($0.number), "key": .string($0.key)] })
            } ?? .null
        return .object(object)
    }
}

extension CurrentRetrieval.Hit {
    fileprivate var json: JSON {
        [
            "number": .integer(number), "key": .string(row.key),
            "document": .string(row.document), "section": .string(row.section),
            "score": .number(score), "before": before.map { .integer($0) } ?? .null,
            "changed": .bool(isChanged),
        ]
    }
}
