import Artifacts
import InferencePipeline
import Measuring
import Objects
import Refs
import Storage
import Synchronization

/// `questions REPOSITORY QUESTIONS [--features features/prod] [--model models/current] [--threads 1] [--seconds 5]
/// [--count 10] [--later REVISION]`: measures retrieval as `fti-inference serve` runs it, one question per thread.
///
/// QUESTIONS is a text file with one question per line. With `--later`, first switches from the features to those of
/// that revision, with what both share.
@main
enum Questions {
    static func main() { Program.run(answer) }

    private static func answer(_ arguments: Arguments) throws {
        let repository = try Repository(opening: try arguments.position(0, "REPOSITORY"))
        let file = try InputFile(opening: try arguments.position(1, "QUESTIONS"))
        let text = String(decoding: try file.read(at: 0, count: file.size), as: UTF8.self)
        let questions = text.split(whereSeparator: \.isNewline).map(String.init)
        let features = arguments.option("features") ?? "features/prod"
        // The first open verifies every leaf and records keyed hashes; the second only checks those.
        let verified = try VerifiedLeaves()
        func open(_ features: String, sharing: QuestionAnswering? = nil) throws -> QuestionAnswering
        {
            var options = LoadingOptions()
            (options.verified, options.threads, options.loadingThreads) = (verified, 1, 2)
            return try QuestionAnswering(
                .revisions(
                    features: features, model: arguments.option("model") ?? "models/current"),
                in: repository, now: Benchmark.now(), loading: options, sharing: sharing)
        }
        let (verifying, _) = try Measurement.seconds { try open(features) }
        var result = JSONObject()
        var start = Measurement.processorSeconds()
        let (opening, first) = try Measurement.seconds { try open(features) }
        result["openingProcessorSeconds"] = .number(Measurement.processorSeconds() - start)
        result["verifying"] = .number(verifying)
        result["opening"] = .number(opening)
        var service = first
        _ = try service.retrieve(questions[0], count: 10)
        result["resident"] = .integer(Measurement.memory().now)
        if let later = arguments.option("later") {
            start = Measurement.processorSeconds()
            let (switching, next) = try Measurement.seconds { try open(later, sharing: service) }
            result["switchingProcessorSeconds"] = .number(Measurement.processorSeconds() - start)
            _ = try next.retrieve(questions[0], count: 10)
            result["switching"] = .number(switching)
            result["residentWithBoth"] = .integer(Measurement.memory().now)
            service = next
        }
        let asking = service
        let count = arguments.count("count", or: 10)
        var results = ""
        for question in questions {
            for chunk in try asking.retrieve(question, count: count).chunks {
                results += "\(chunk.row.key) \(chunk.score) \(chunk.similarity) \(chunk.signals)\n"
            }
        }
        result["results"] = .string(ObjectID(of: Array(results.utf8).span).hex)
        start = Measurement.processorSeconds()
        let times = try ask(
            asking, questions, count: count, threads: arguments.count("threads", or: 1),
            seconds: Double(arguments.count("seconds", or: 5)))
        let sorted = times.durations.sorted()
        result["perSecond"] = .number(Double(sorted.count) / times.seconds)
        result["processorSeconds"] = .number(
            (Measurement.processorSeconds() - start) / Double(sorted.count))
        result["p50"] = .number(sorted[sorted.count / 2])
        result["p99"] = .number(sorted[sorted.count * 99 / 100])
        result["residentAfterwards"] = .integer(Measurement.memory().now)
        result["peak"] = .integer(Measurement.memory().most)
        Measurement.emit(.object(result))
    }

    /// Asks questions for some seconds on several threads; the duration of each.
    private static func ask(
        _ service: QuestionAnswering, _ questions: [String], count: Int, threads: Int,
        seconds: Double
    ) throws -> (seconds: Double, durations: [Double]) {
        let next = Atomic(0)
        let failure = Mutex<InferenceError?>(nil)
        let clock = ContinuousClock()
        let start = clock.now
        let all = Threads.map(threads, threads: threads) { _ in
            var durations: [Double] = []
            while clock.now - start < .seconds(seconds) {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                let began = clock.now
                do throws(InferenceError) {
                    _ = try service.retrieve(questions[index % questions.count], count: count)
                } catch { failure.withLock { $0 = error } }
                durations.append((clock.now - began) / .seconds(1))
            }
            return durations
        }
        if let error = failure.withLock({ $0 }) { throw error }
        return ((clock.now - start) / .seconds(1), Array(all.joined()))
    }

}
