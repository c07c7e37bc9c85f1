import Artifacts
import Encoders
import Foundation
import Measuring
import Objects
import Refs
import Storage

/// `encode REPOSITORY REVISION TEXTS.json [--batch 64] [--rounds 1]`: embeds texts with the model at a revision, sorted by
/// length, in batches, on all processors; prints the texts a second and the greatest memory of the process.
@main
enum Encode {
    static func main() { Program.run(answer) }

    private static func answer(_ arguments: Arguments) throws {
        let repository = try Repository(opening: try arguments.position(0, "REPOSITORY"))
        let state = try repository.state()
        let model = try Resolver(repository, state: state, now: Benchmark.now())
            .snapshot(try Revision(try arguments.position(1, "REVISION")))
        let texts = try Data(contentsOf: URL(filePath: try arguments.position(2, "TEXTS")))
        let sorted = (try JSON(parsing: [UInt8](texts).span).array ?? []).compactMap(\.string)
            .sorted { $0.utf8.count > $1.utf8.count }
        guard let folder = try ModelFolder(model: model, in: try repository.objects(in: state))
        else { throw Arguments.Refusal("not a model") }
        let before = peakKilobytes()
        let (opening, embedder) = try Measurement.seconds { try SentenceEncoder.open(folder) }
        let batch = arguments.count("batch", or: 64)
        for round in 0..<arguments.count("rounds", or: 1) {
            let (seconds, count) = try Measurement.seconds {
                try stride(from: 0, to: sorted.count, by: batch).reduce(0) { count, start in
                    let end = min(sorted.count, start + batch)
                    return count
                        + (try embedder.embed(Array(sorted[start..<end]), as: .document).count)
                }
            }
            Measurement.emit([
                "round": .integer(round), "opening": .number(opening), "seconds": .number(seconds),
                "perSecond": .number(Double(count) / seconds),
                "megabytes": .number(Double(peakKilobytes()) / 1024),
                "before": .number(Double(before) / 1024),
            ])
        }
    }

    /// The greatest resident set so far. The counter of `getrusage` is not used: it begins with that of the parent process.
    private static func peakKilobytes() -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(separator: " ").dropLast().last.flatMap { Int($0) } ?? 0
    }
}
