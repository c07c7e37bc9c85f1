import ArgumentParser
import CommandSupport
import Objects
import Refs
import Storage

/// A repository in one of its states: a command resolves everything against the same one.
struct OpenRepository {
    let repository: Repository
    let state: State
    private let resolver: Resolver
    private let output: Output

    init(_ repository: Repository, state: State, now: Timestamp, output: Output) {
        self.repository = repository
        self.state = state
        self.output = output
        resolver = Resolver(repository, state: state, now: now)
    }

    /// The objects of the state; packs are opened when they are needed.
    var objects: PackStore { get throws { try resolver.objects() } }

    /// What a revision means.
    func resolve(_ text: String) throws -> Resolution {
        let resolution = try resolver.resolve(text)
        for warning in resolution.warnings { try output.note("warning: \(warning)") }
        return resolution
    }

    /// The rows that a revision names, whose path is what their keys begin with; nil when it names no table.
    func rows(of text: String) throws -> KeyedRows? {
        // What is wrong with the text is found out where it is resolved.
        guard let revision = try? Revision(text) else { return nil }
        let resolution = try resolver.resolve(revision.withoutPath)
        guard case .snapshot(let id) = resolution.target, let table = try snapshot(id).content.table
        else { return nil }
        for warning in resolution.warnings { try output.note("warning: \(warning)") }
        return KeyedRows(table: table, prefix: revision.path ?? "", snapshot: id)
    }

    /// The snapshot that a revision names.
    func snapshotID(_ text: String) throws -> ObjectID {
        let resolution = try resolve(text)
        switch resolution.target {
        case .snapshot(let id): return id
        case .object(let id): throw RefError.revision(.notASnapshot(id))
        case .entry, .row:
            throw CommandError.usage(
                "\(text) names a part of a snapshot, where a snapshot is needed",
                remedy: "leave out what follows the colon")
        }
    }

    /// The snapshot with an identity.
    func snapshot(_ id: ObjectID) throws -> Snapshot { try resolver.read(id) }

    /// The snapshot that a ref points at.
    ///
    /// - Throws: `misdirected` when the ref cannot point at what is there.
    func snapshot(_ id: ObjectID, of name: RefName) throws -> Snapshot {
        try resolver.read(id, of: name)
    }

    /// The row that a revision means.
    func row(_ key: String, of resolution: Resolution) throws -> TableRow {
        guard let id = resolution.snapshot, let table = try snapshot(id).content.table,
            let row = try table.row(for: key, in: objects)
        else { throw CommandError.missing("there is no row \(key.printable())") }
        return row
    }

    /// The same of what a ref once pointed at; nil when it was collected, or is no snapshot, which a note says.
    func snapshotIfThere(_ id: ObjectID) throws -> Snapshot? {
        do throws(RefError) { return try resolver.read(id) } catch {
            switch error {
            case .objects(.missing(id)), .objects(.collected(id, _)): return nil
            case .revision(.notASnapshot):
                try output.note("warning: \(error.message)")
                return nil
            default: throw error
            }
        }
    }

    /// What a ref points at in this state; nil when the ref was moved and the snapshot collected since.
    ///
    /// - Throws: `misdirected` when the ref cannot point at what is there.
    func snapshotUnlessCollected(_ id: ObjectID, of name: RefName) throws -> Snapshot? {
        do throws(RefError) { return try resolver.read(id, of: name) } catch {
            guard case .objects(.collected(id, _)) = error else { throw error }
            return nil
        }
    }

    /// The target of a ref.
    ///
    /// - Throws: `unknownRef`, which says which refs are like it; `deleted` when it was one.
    func target(of name: RefName) throws -> ObjectID { try state.existingTarget(of: name) }

    /// Says that the history that follows is of a ref that was deleted; refuses a name that no ref ever had.
    func noteDeletion(of name: RefName) throws {
        if let transaction = state.deletion(of: name) {
            try output.note(
                "note: \(name) was deleted by transaction \(transaction); "
                    + "ftictl ref restore \(name) brings it back")
        } else {
            _ = try target(of: name)
        }
    }

    /// Does something that writes: when it fails for what a collection removed because a ref that it relies on was moved
    /// meanwhile, that is a conflict.
    func writing(_ names: [RefName] = [], _ body: () throws -> Void) throws {
        try resolver.writing(names, body)
    }

    /// Begins a transaction on the state that everything was resolved in.
    func begin(_ writer: Writer, moving names: [RefName] = []) throws -> Transaction {
        try repository.begin(on: state, writer: writer, moving: names)
    }
}

extension CommandContext {
    /// That repository in its newest state.
    func open() throws -> OpenRepository {
        let repository = try repository()
        return OpenRepository(
            repository, state: try repository.state(), now: now, output: output)
    }

}

extension Content {
    /// The table, if it is one.
    var table: Table? {
        guard case .table(let root, let rows, let dimension) = self else { return nil }
        return Table(root: root, rows: rows, dimension: dimension)
    }
}

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
