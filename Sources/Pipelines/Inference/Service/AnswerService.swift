public import Artifacts
public import Conditions
public import Objects
public import Refs
internal import Storage
internal import Synchronization

/// What a client asks.
public struct Ask: Sendable {
    /// The question, as the client put it.
    public var question: String
    /// The messages before it.
    public var conversation: [ChatMessage]
    /// The number of passages; nil for the service's own number.
    public var passages: Int?
    /// A further condition on the rows that passages come from.
    public var condition: Condition?
    /// The maximum number of tokens of the answer; nil for the prompt's own limit, which always holds too.
    public var tokenLimit: Int?
    /// The randomness of the answer; nil for the service's setting.
    public var temperature: Double?

    /// Makes a request without wishes.
    public init(_ question: String, after conversation: [ChatMessage] = []) {
        self.question = question
        self.conversation = conversation
    }
}

/// Answers questions for many clients at once, from the versions that a selection names.
///
/// Requests take ``current`` once and use it to their end, so an answer never mixes versions. One thread calls
/// ``follow()`` again and again. Safe to use from many threads.
public final class AnswerService: Sendable {
    /// What a service needs besides the repository.
    public struct Settings: Sendable {
        /// The versions to serve.
        public var selection: Selection
        /// How versions are loaded.
        public var loading: LoadingOptions
        /// The language model that writes answers; nil to quote from the passages.
        public var model: (any ChatModel)?
        /// The randomness of the language model, unless the client asks for another.
        public var temperature: Double
        /// The longest time that checking a language model against a canary may take.
        public var canaryTimeout: Duration
        /// The number of passages; nil for the ranker's own number.
        public var passages: Int?
        /// This process, as its lease and its answers name it.
        public var replica: Replica
        /// The clock.
        public var now: @Sendable () -> Timestamp

        /// Makes settings.
        public init(
            _ selection: Selection, loading: LoadingOptions, model: (any ChatModel)? = nil,
            temperature: Double = 0, canaryTimeout: Duration = .seconds(300),
            passages: Int? = nil, replica: Replica, now: @escaping @Sendable () -> Timestamp
        ) {
            self.selection = selection
            self.loading = loading
            self.model = model
            self.temperature = temperature
            self.canaryTimeout = canaryTimeout
            self.passages = passages
            self.replica = replica
            self.now = now
        }
    }
}
