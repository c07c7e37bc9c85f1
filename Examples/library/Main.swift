// The story of the README without the command line: two editions of a handbook, a model, an answer, a rollback.
//
//     swift run library-example REPOSITORY Examples/handbook
//
// It depends on the library products alone.
import Artifacts
import FeaturePipeline
import InferencePipeline
import Objects
import Refs
import Storage
import TrainingPipeline

@main struct LibraryExample {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3 else {
            return print("usage: library-example REPOSITORY HANDBOOK")
        }
        let (path, handbook) = (arguments[1], arguments[2])
        let writer = Writer(name: "library")
        let repository = try Repository.create(at: path, writer: writer)
        let production = [try RefName("features/prod"), try RefName("models/current")]
        let moves = [
            (from: try Revision("features/staging"), to: production[0]),
            (from: try Revision("models/candidate"), to: production[1]),
        ]

        func answer() throws -> String {
            try QuestionAnswering(
                .revisions(features: "features/prod", model: "models/current"), in: repository,
                now: writer.now()
            ).answer("At what temperature does the frost alarm go off by default?").answer
        }

        var answers: [String] = []
        for edition in ["edition-1", "edition-2"] {
            // The feature pipeline advances features/staging.
            let features = FeatureConfiguration(
                ref: try RefName("features/staging"),
                sources: [DocumentSource(location: "\(handbook)/\(edition)")])
            let run = try FeaturePipeline(features, in: repository, by: writer).run()
            // The training pipeline reads them and advances models/candidate.
            var training = TrainingConfiguration()
            training.features = "features/staging"
            training.questions = "\(handbook)/questions.jsonl"
            // Few candidates and epochs, so that the example runs quickly.
            training.retrieval.candidates = 20
            (training.supervised.epochs, training.preference.epochs) = (30, 0)
            let model = try TrainingRun(
                repository: repository, configuration: training, writer: writer, version: "1",
                threads: 2
            ).run()
            // Both go live together: readers see the new pair or the previous one.
            _ = try repository.promote(
                moves, in: try repository.state(), by: writer, MoveOptions(message: "promote"))
            print(
                "\(edition): \(run.chunks) chunks, model \(model.model.short), transaction \(try repository.state().number)"
            )
            answers.append(try answer())
            print("  \(answers.last ?? "")")
        }
        // Nothing is copied: two refs move back in one transaction.
        _ = try repository.rollBack(
            production, in: try repository.state(), by: writer, MoveOptions(message: "roll back"))
        print(
            "rolled back: \(try answer() == answers.first ? "the first answer again" : "something else")"
        )
    }
}
