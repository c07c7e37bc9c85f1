/// One version of something: what it holds, what it was made from, by whom and how.
///
/// Stored as canonical JSON, so `ftictl cat ID` shows all of it.
public struct Snapshot: Hashable, Sendable {
    /// What sort of thing a snapshot is a version of.
    public enum Kind: String, CaseIterable, Sendable {
        /// Rows with vectors, for retrieval.
        case features
        /// Examples to train or evaluate with.
        case dataset
        /// Weights and their configuration.
        case model
        /// A set of features, model and prompt that belong together.
        case release
    }

    /// Who or what made a snapshot.
    public struct Producer: Hashable, Sendable {
        /// The program, such as `fti-feature`.
        public var pipeline: String
        /// Its version.
        public var version: String
        /// The revision of the source that it ran from, where it is known.
        public var revision: String?

        /// Makes a producer.
        public init(pipeline: String, version: String, revision: String? = nil) {
            self.pipeline = pipeline
            self.version = version
            self.revision = revision
        }
    }

    /// What sort of thing this is a version of.
    public var kind: Kind
    /// The files or rows themselves.
    public var content: Content
    /// The versions that this one succeeds, the main one first.
    public var parents: [ObjectID]
    /// The snapshots that this one was made from, by role: `features`, `dataset`, `base`, `embedder`.
    public var inputs: [String: ObjectID]
    /// Who made it.
    public var producer: Producer
    /// The parameters it was made with.
    public var params: JSONObject
    /// Measurements of it; every value is finite.
    public var metrics: [String: Double]
    /// The embedding space of its vectors, or the one it needs.
    public var space: ObjectID?
    /// Where its sources were read up to: a table of documents and their digests.
    public var cursor: Content?
    /// What finds its rows by their words: a tree, derived from the rows and made beside them.
    public var index: Content?
    /// When it was made.
    public var created: Timestamp
    /// What a person says of it.
    public var message: String

    /// The most bytes that a message may have.
    public static let messageLimit = 64 << 10

    /// Makes a snapshot; what is not given is empty.
    public init(
        kind: Kind, content: Content, parents: [ObjectID] = [], inputs: [String: ObjectID] = [:],
        producer: Producer, params: JSONObject = JSONObject(), metrics: [String: Double] = [:],
        space: ObjectID? = nil, cursor: Content? = nil, index: Content? = nil,
        created: Timestamp, message: String = ""
    ) {
        self.kind = kind
        self.content = content
        self.parents = parents
        self.inputs = inputs
        self.producer = producer
        self.params = params
        self.metrics = metrics
        self.space = space
        self.cursor = cursor
        self.index = index
        self.created = created
        self.message = message
    }

    /// The trees and tables that are part of it.
    public var contents: [Content] { [content, cursor, index].compactMap(\.self) }

    /// Compares by content.
    public static func == (left: Snapshot, right: Snapshot) -> Bool {
        left.encoded == right.encoded
    }

    /// Hashes the kind and the content.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        hasher.combine(content)
    }
}
