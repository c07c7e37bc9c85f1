import ArgumentParser
import CommandSupport
import Refs

extension CompletionKind {
    /// The names of the refs of the repository that the command line names: what most revisions begin with.
    ///
    /// The scripts of shells ask this executable for them. Without a repository there are none, and nothing is said.
    static var revisions: CompletionKind {
        .custom { words, _, _ in
            var rest = words
            let context = CommandContext(options: GlobalOptions(extractedFrom: &rest))
            guard let state = try? context.repository().state() else { return [] }
            return state.refs.keys.sorted().map(\.text)
        }
    }
}
