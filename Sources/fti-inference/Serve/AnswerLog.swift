import Hummingbird
import Artifacts
import InferencePipeline
import Objects
import Refs
import Serving
import Storage

/// The answers that this replica gave, and the feedback on them.
struct AnswerLog: Sendable {
    let store: AnswerStore
    /// Receives feedback, a line each; nil where none is accepted.
    let feedback: DailyLines?
    let repository: Repository
    let replica: String
    let now: @Sendable () -> Timestamp

    /// Keeps an answer.
    func keep(_ record: AnswerRecord, _ id: AnswerID) throws(StorageError) {
        try store.keep(id, JSON.object(record.json).canonicalBytes, on: day(record.time))
    }

    /// The canonical JSON of an answer; nil when it is not kept here.
    func record(_ id: AnswerID) throws(StorageError) -> [UInt8]? {
        // Searching the files for another replica's answer would be in vain.
        guard id.isOf(replica) else { return nil }
        return try store.record(id)
    }

    /// An answer; nil when it is not kept here.
    func answer(_ id: AnswerID) throws -> AnswerRecord? {
        try record(id).map { bytes throws in try AnswerRecord(parsing: bytes) }
    }

    /// The failure for an answer that is not kept here; names the replica that gave it, if its lease does.
    func absent(_ id: AnswerID) -> HTTPFailure {
        if id.isOf(replica) {
            return HTTPFailure(
                .notFound, "the answer \(id) is not kept any more", code: "answer_not_found")
        }
        let others = (try? repository.leases())?.compactMap { $0.serving?.replica } ?? []
        guard let other = others.first(where: { id.isOf($0.name) }) else {
            return HTTPFailure(
                .notFound,
                "the answer \(id) is not of this replica, \(replica), nor of any that serves now",
                code: "answer_not_found")
        }
        let place = other.address.map { " at \($0)" } ?? ""
        return HTTPFailure(
            .notFound, "the answer \(id) is kept by the replica \(other.name)\(place)",
            code: "answer_elsewhere")
    }

    /// Appends feedback on an answer durably.
    ///
    /// - Throws: ``HTTPFailure`` with 404 where the service accepts none, or where the answer is not kept here and the
    ///   client sent no record of it; ``StorageError``.
    func add(_ given: FeedbackRequest, on id: AnswerID, from token: String?) throws -> Feedback {
        guard let feedback else {
            throw HTTPFailure(.notFound, "this server accepts no feedback", code: "not_found")
        }
        // Feedback without its question is of no use to anybody, so the client should know.
        guard let answer = try answer(id) ?? given.answer else {
            var failure = absent(id)
            failure.message += "; send its record along as the member answer"
            throw failure
        }
        let line = Feedback(
            id: Feedback.makeID { .random(in: .min ... .max) }, time: now(),
            answerID: id.description, answer: answer, rating: given.rating, better: given.better,
            passage: given.passage, comment: given.comment, from: token)
        try feedback.append(JSON.object(line.json).canonicalBytes, on: day(line.time))
        return line
    }

    private func day(_ time: Timestamp) -> String { String(time.description.prefix(10)) }
}

/// A request to `POST /v1/answers/{id}/feedback`.
struct FeedbackRequest {
    let rating: Feedback.Rating?
    let better: String?
    let passage: String?
    let comment: String?
    /// The record of the answer, if the client sent it along.
    let answer: AnswerRecord?

    /// The most bytes of a text.
    private static let textLimit = 64 << 10

    init(_ body: JSON, on id: AnswerID) throws {
        let request = try APIRequest(body)
        switch try request.text("rating") {
        case nil: rating = nil
        case "good", "up", "1": rating = .good
        case "bad", "down", "-1", "0": rating = .bad
        default: throw request.failure("rating", "must be good or bad")
        }
        func text(_ key: String) throws -> String? {
            guard let text = try request.text(key), text.contains(where: { !$0.isWhitespace })
            else { return nil }
            guard text.utf8.count <= Self.textLimit else {
                throw request.failure(key, "has more than \(Self.textLimit) bytes")
            }
            return text
        }
        better = try text("better")
        passage = try text("passage")
        comment = try text("comment")
        guard rating != nil || better != nil || passage != nil || comment != nil else {
            throw HTTPFailure(
                .badRequest, "feedback needs at least one of rating, better, passage and comment")
        }
        guard let sent = request.member("answer") else {
            answer = nil
            return
        }
        guard let object = sent.object else { throw request.failure("answer", "must be an object") }
        // A whole body of an answer has its record in the member fti.
        let record = try AnswerRecord(object["fti"]?.object ?? object, path: "answer")
        guard record.id.utf8.elementsEqual(id.description.utf8) else {
            throw request.failure("answer", "is the record of another answer, \(record.id)")
        }
        answer = record
    }
}
