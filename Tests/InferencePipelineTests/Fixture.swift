@testable import Conditions
@testable import Maintenance
import Artifacts
import InferencePipeline
import Objects
import Refs
import Storage
import Testing

/// A small repository with features and a model that fit each other.
struct Fixture {
    let bucket = MemoryBucket()
    let repository: Repository
    let features: ObjectID
    let model: ObjectID

    static let writer: Writer = {
        guard let now = Timestamp(milliseconds: 1_780_000_000_000) else {
            preconditionFailure("the moment is in range")
        }
        return Writer(name: "test", now: { now })
    }()

    /// - Parameters:
    ///   - modelDimension: The dimension of the embedder that the model claims to be made for.
    ///   - canaryShift: An offset added to one number of a canary, so that no embedder fits.
    ///   - vectors: The rows' vectors; nil for the embedder's.
    ///   - weight: The weight of every signal; nil for those of the untrained ranker.
    init(
        modelDimension: Int = 64, canaryShift: Double = 0, vectors: [[Float]]? = nil,
        weight: Float? = nil
    ) throws {
        repository = try Repository.create(in: bucket, writer: Self.writer)
        let transaction = try repository.begin(writer: Self.writer)
        let embedder = try BuiltinEmbedder(dimension: 64)
        var space = embedder.space
        if canaryShift != 0 {
            var vector = space.canaries[0].vector
            vector[0] += canaryShift
            space.canaries[0] = .init(text: space.canaries[0].text, vector: vector)
        }
        let spaceID = try space.write(to: transaction.objects)
        let rows = Self.rows
        let table = try Table.build(
            rows: rows.enumerated().map { index, row in
                TableRow(
                    key: row.key, attributes: row.attributes,
                    vector: vectors?[index] ?? embedder.embed(row.embeddingText, as: .document))
            }, dimension: 64, in: transaction.objects)
        let featuresSnapshot = Snapshot(
            kind: .features, content: .table(table),
            producer: .init(pipeline: "test", version: "1"), params: Self.params, space: spaceID,
            created: Self.writer.now())
        features = try transaction.objects.write(featuresSnapshot.encoded, hint: .structured)
        let modelEmbedder =
            modelDimension == 64 ? embedder : try BuiltinEmbedder(dimension: modelDimension)
        let modelSpace =
            modelDimension == 64 ? spaceID : try modelEmbedder.space.write(to: transaction.objects)
        var ranker = Ranker.untrained(for: modelEmbedder.space)
        ranker.space = modelSpace
        if let weight { ranker.weights = ranker.weights.map { _ in weight } }
        var builder = TreeBuilder()
        for (name, bytes) in [
            (Ranker.tensorsName, ranker.tensors), (Ranker.configName, ranker.config),
        ] {
            builder.add(
                try RelativePath(name), size: bytes.count,
                id: try transaction.objects.write(bytes, hint: .bulk))
        }
        let tree = try builder.write(into: transaction.objects)
        let modelSnapshot = Snapshot(
            kind: .model, content: tree.content, inputs: ["features": features],
            producer: .init(pipeline: "test", version: "1"), space: modelSpace,
            created: Self.writer.now())
        model = try transaction.objects.write(modelSnapshot.encoded, hint: .structured)
        _ = try transaction.commit(
            [
                RefUpdate(try RefName("features/prod"), new: features),
                RefUpdate(try RefName("models/current"), new: model),
            ], message: "fixture", overriding: "a pair that does not fit is wanted")
    }

    static let current = Selection.revisions(features: "features/prod", model: "models/current")

    func answering(
        _ selection: Selection = current, approximately: Bool = false, threads: Int = 2
    ) throws -> QuestionAnswering {
        var options = LoadingOptions()
        (options.isApproximate, options.threads) = (approximately, threads)
        return try QuestionAnswering(
            selection, in: repository, now: Self.writer.now(), loading: options)
    }

    /// Options with a condition, for one thread.
    static func options(where condition: Condition? = nil) -> LoadingOptions {
        var options = LoadingOptions()
        (options.condition, options.threads) = (condition, 1)
        return options
    }

    /// Replaces the model of a ref, and collects everything that no ref points at.
    func replaceModel(
        _ name: String = "models/current", message: String = "another"
    ) throws -> ObjectID {
        let transaction = try repository.begin(writer: Self.writer)
        var other = try Snapshot(model, in: transaction.objects)
        other.message = message
        let id = try transaction.objects.write(other.encoded, hint: .structured)
        _ = try transaction.commit([RefUpdate(try RefName(name), new: id)])
        try collect()
        return id
    }

    /// Collects everything that no ref points at, without grace.
    func collect() throws {
        var options = CollectionOptions()
        (options.keep, options.keepLast) = (0, 1)
        options.grace = 0
        _ = try repository.collect(options, writer: Self.writer)
    }

    /// The declared attributes of the rows.
    static let params: JSONObject = {
        var params = JSONObject()
        params[AttributeSchema.param] = [
            "author": "string", "updated": "date", "tags": "strings", "url": "string",
        ]
        return params
    }()

    /// The metadata of a document.
    private static func metadata(_ document: String) -> JSONObject {
        var metadata = JSONObject()
        metadata["author"] = document == "frost.md" ? "ada" : "bob"
        metadata["updated"] = document == "export.md" ? .null : "2026-01-31"
        metadata["tags"] = ["all", .string(document)]
        metadata["url"] = .string("https://docs.example.com/\(document)")
        return metadata
    }

    static let rows: [FeatureRow] = {
        let texts = [
            (
                "frost.md", "alarm",
                "The frost alarm rings at 3.0 °C by default. Heaters start at 2.0 °C."
            ),
            (
                "mounting.md", "holes",
                "Drill 6 mm holes in brick. In timber, drill 3.5 mm pilot holes."
            ),
            (
                "pump.md", "dry",
                "The pump stops when the tank is dry. It starts again after an hour."
            ),
            ("export.md", "csv", "Readings are exported as CSV. One file holds 31 days."),
        ]
        return texts.map { document, section, text in
            FeatureRow(
                document: document, title: document, section: section,
                headings: [document, section],
                ordinal: 0, text: text, metadata: metadata(document))
        }
    }()
}
