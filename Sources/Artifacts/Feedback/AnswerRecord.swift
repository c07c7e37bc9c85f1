public import Objects

/// An answer with everything that it came from: it stands alone as JSON, without the repository.
///
/// The inference pipeline writes it; feedback carries it to the feature and training pipelines. A reader ignores
/// members that it does not know, so that a newer writer may add some.
public struct AnswerRecord: Equatable, Sendable {
    /// The conversation that a language model continued.
    public struct RenderedPrompt: Hashable, Sendable {
        /// The hash of the template.
        public var id: ObjectID
        /// The messages, as the model received them.
        public var messages: [ChatMessage]

        /// Makes a prompt.
        public init(id: ObjectID, messages: [ChatMessage]) {
            self.id = id
            self.messages = messages
        }
    }

    /// What wrote the answer.
    public enum Generator: Hashable, Sendable {
        /// Quotes from the passages.
        case extractive
        /// A language model behind OpenAI's API.
        ///
        /// `snapshot` is the model snapshot that the release binds, if it binds one. The tokens are nil where the
        /// endpoint does not count them.
        case openAI(
            model: String, snapshot: ObjectID? = nil, ending: ChatReply.Ending = .stop,
            promptTokens: Int? = nil, replyTokens: Int? = nil)
    }

    /// How a reranker reordered the passages.
    public struct Reranking: Hashable, Sendable {
        /// The model snapshot of the reranker.
        public var model: ObjectID
        /// The number of passages that it scored at most.
        public var candidates: Int

        /// Names a reranking.
        public init(model: ObjectID, candidates: Int) {
            self.model = model
            self.candidates = candidates
        }
    }

    /// The versions that gave the answer, all from one state of one repository.
    public struct Versions: Hashable, Sendable {
        /// The release that binds the others; nil when the service does not serve a release.
        public var release: ObjectID?
        /// The features snapshot.
        public var features: ObjectID
        /// The snapshot of the ranker; nil for the untrained rule.
        public var ranker: ObjectID?
        /// The embedding space of the features; nil where they name none.
        public var space: ObjectID?
        /// The newest transaction of the state.
        public var transaction: Int
        /// The repository's identity, as 32 hexadecimal digits.
        public var repository: String

        /// Makes versions.
        public init(
            release: ObjectID? = nil, features: ObjectID, ranker: ObjectID? = nil,
            space: ObjectID? = nil, transaction: Int, repository: String
        ) {
            self.release = release
            self.features = features
            self.ranker = ranker
            self.space = space
            self.transaction = transaction
            self.repository = repository
        }
    }

    /// The identity: `ans-` and 32 lower-case hexadecimal digits.
    public var id: String
    /// The name of the replica that answered.
    public var replica: String
    /// When it answered.
    public var time: Timestamp
    /// The ref or other revision that the service serves, such as `releases/prod`; nil where it serves a lock file.
    public var ref: String?
    /// The question as the client asked it.
    public var question: String
    /// The question made self-contained, where that changed it; see ``searched``.
    public var asked: String?
    /// The conversation before the question.
    public var conversation: [ChatMessage]
    /// Whether the passages answer the question.
    public var isAnswered: Bool
    /// The answer; where nothing answers, the text that says so.
    public var answer: String
    /// Whether the generator passed the release's canary; true for ``Generator/extractive``.
    public var isVerified: Bool
    /// The citations in the answer.
    public var citations: Citations
    /// The passages shown to the generator, best first.
    public var passages: [Passage]
    /// The conversation that the language model continued; nil for ``Generator/extractive``.
    public var prompt: RenderedPrompt?
    /// What wrote the answer.
    public var generator: Generator
    /// What gave the answer.
    public var versions: Versions
    /// The condition on all passages; nil when they come from all rows.
    public var condition: String?
    /// How the passages were found.
    public var retrieval: RetrievalSettings
    /// How the passages were reordered; nil where no reranker took part.
    public var rerank: Reranking?

    /// Makes a record.
    public init(
        id: String, replica: String, time: Timestamp, ref: String? = nil, question: String,
        asked: String? = nil,
        conversation: [ChatMessage] = [], isAnswered: Bool, answer: String, isVerified: Bool,
        citations: Citations = Citations(), passages: [Passage], prompt: RenderedPrompt? = nil,
        generator: Generator, versions: Versions, condition: String? = nil,
        retrieval: RetrievalSettings, rerank: Reranking? = nil
    ) {
        self.id = id
        self.replica = replica
        self.time = time
        self.ref = ref
        self.question = question
        self.asked = asked
        self.conversation = conversation
        self.isAnswered = isAnswered
        self.answer = answer
        self.isVerified = isVerified
        self.citations = citations
        self.passages = passages
        self.prompt = prompt
        self.generator = generator
        self.versions = versions
        self.condition = condition
        self.retrieval = retrieval
        self.rerank = rerank
    }

    /// The question that retrieval searched for: self-contained.
    public var searched: String { asked ?? question }
}

extension AnswerRecord {
    /// A passage that was shown to the generator: a row of the features, and why it was found.
    public struct Passage: Equatable, Sendable {
        /// Its number in the prompt and in citations, from 1.
        public var number: Int
        /// The key of its row in the features table.
        public var key: String
        /// The document's path; see ``FeatureRow/document``.
        public var document: String
        /// The document's title.
        public var title: String
        /// The anchor of the section.
        public var section: String
        /// The headings above the text, outermost first.
        public var headings: [String]
        /// The address of the document, where the row has one.
        public var url: String?
        /// The text.
        public var text: String
        /// The ranker's score, comparable within one answer; finite.
        public var score: Double
        /// The cosine of the vectors of row and question; finite.
        public var similarity: Double
        /// The rank by vectors, from 1; nil where the row is not among the nearest.
        public var vectorRank: Int?
        /// The rank by words, from 1; nil where the row is not among the best.
        public var wordsRank: Int?
        /// The reranker's score, comparable within one answer; finite; nil where no reranker scored the passage.
        public var rerank: Double?
        /// The other attributes of the row.
        public var attributes: JSONObject

        /// Makes a passage of a row.
        ///
        /// - Parameters:
        ///   - number: The number in the prompt, from 1.
        ///   - vectorRank: The rank by vectors, from 1.
        ///   - wordsRank: The rank by words, from 1.
        public init(
            _ row: FeatureRow, number: Int, score: Double, similarity: Double,
            vectorRank: Int? = nil, wordsRank: Int? = nil, rerank: Double? = nil
        ) {
            self.number = number
            self.score = score
            self.similarity = similarity
            self.vectorRank = vectorRank
            self.wordsRank = wordsRank
            self.rerank = rerank
            key = row.key
            document = row.document
            title = row.title
            section = row.section
            headings = row.headings
            text = row.text
            url = row.metadata[Self.urlMember]?.string
            attributes = row.attributes
            for name in ["document", "title", "section", "headings", "text"] {
                attributes[name] = nil
            }
            if url != nil { attributes[Self.urlMember] = nil }
        }

        static let urlMember = "url"
    }
}

/// The identities that the inference pipeline gives to answers and to feedback: a prefix and 128 random bits.
enum RecordID {
    static let answerPrefix = "ans-"
    static let feedbackPrefix = "fb-"
    private static let digits = 32

    /// Makes an identity from random numbers.
    static func make(_ prefix: String, _ random: () -> UInt64) -> String {
        let bytes = [random(), random()].flatMap { number in
            stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) }
        }
        return prefix + Hexadecimal.encode(bytes)
    }

    /// Whether a text has the form of an identity.
    static func isValid(_ text: String, _ prefix: String) -> Bool {
        text.utf8.starts(with: prefix.utf8) && text.utf8.count == prefix.utf8.count + digits
            && text.utf8.dropFirst(prefix.utf8.count).allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x66).contains($0)
            }
    }
}

extension AnswerRecord {
    /// Whether a text has the form of ``id``.
    public static func isID(_ text: String) -> Bool {
        RecordID.isValid(text, RecordID.answerPrefix)
    }
}
