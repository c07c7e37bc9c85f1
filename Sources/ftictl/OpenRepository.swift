import ArgumentParser
import CommandSupport
import Objects
import Refs
import Storage

/// A repository at one state: a command resolves all its revisions against the same state.
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

    /// The objects of the state; opens packs on demand.
    var objects: PackStore { get throws { try resolver.objects() } }

    /// Resolves a revision, and prints its warnings as notes.
    func resolve(_ text: String) throws -> Resolution {
        let resolution = try resolver.resolve(text)
        for warning in resolution.warnings { try output.note("warning: \(warning)") }
        return resolution
    }

    /// The rows that a revision names: its path is a prefix of their keys. Nil if it names no table or is
    /// not a revision.
    func rows(of text: String) throws -> KeyedRows? {
        // Resolving the text reports what is wrong with it.
        guard let revision = try? Revision(text) else { return nil }
        let resolution = try resolver.resolve(revision.withoutPath)
        guard case .snapshot(let id) = resolution.target, let table = try snapshot(id).content.table
        else { return nil }
        for warning in resolution.warnings { try output.note("warning: \(warning)") }
        return KeyedRows(table: table, prefix: revision.path ?? "", snapshot: id)
    }

    /// The id of the snapshot that a revision names.
    func snapshotID(_ text: String) throws -> ObjectID {
        let resolution = try resolve(text)
        switch resolution.target {
        case .snapshot(let id): return id
        case .object(let id): throw RefError.revision(.notASnapshot(id))
        case .entry, .row:
            throw CommandError.usage(
                "\(text) names a part of a snapshot, not a snapshot",
                remedy: "omit the path after the colon")
        }
    }

    func snapshot(_ id: ObjectID) throws -> Snapshot { try resolver.read(id) }

    /// Reads the snapshot that a ref points at.
    ///
    /// - Throws: `misdirected` if the snapshot's kind does not match the ref.
    func snapshot(_ id: ObjectID, of name: RefName) throws -> Snapshot {
        try resolver.read(id, of: name)
    }

    /// Reads the row that a revision names.
    func row(_ key: String, of resolution: Resolution) throws -> TableRow {
        guard let id = resolution.snapshot, let table = try snapshot(id).content.table,
            let row = try table.row(for: key, in: objects)
        else { throw CommandError.missing("no row \(key.printable())") }
        return row
    }

    /// Reads a snapshot that a ref once pointed at; nil if the object is missing, was collected or, with a note, is not
    /// a snapshot.
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

    /// Reads the snapshot that a ref points at in this state; nil if the ref has moved since and the snapshot was
    /// collected.
    ///
    /// - Throws: `misdirected` if the snapshot's kind does not match the ref.
    func snapshotUnlessCollected(_ id: ObjectID, of name: RefName) throws -> Snapshot? {
        do throws(RefError) { return try resolver.read(id, of: name) } catch {
            guard case .objects(.collected(id, _)) = error else { throw error }
            return nil
        }
    }

    /// The target of a ref.
    ///
    /// - Throws: `unknownRef`, with similar names; `deleted` if the ref was deleted.
    func target(of name: RefName) throws -> ObjectID { try state.existingTarget(of: name) }

    /// Prints a note, before the history of a ref, if the ref was deleted; refuses a name that no ref ever had.
    func noteDeletion(of name: RefName) throws {
        if let transaction = state.deletion(of: name) {
            try output.note(
                "note: transaction \(transaction) deleted \(name); ftictl ref restore \(name) "
                    + "brings it back")
        } else {
            _ = try target(of: name)
        }
    }

    /// Runs a block that writes. Throws a conflict instead of the block's error if it failed because a ref moved
    /// meanwhile and a collection removed its old target.
    func writing(_ names: [RefName] = [], _ body: () throws -> Void) throws {
        try resolver.writing(names, body)
    }

    /// Begins a transaction on this state.
    func begin(_ writer: Writer, moving names: [RefName] = []) throws -> Transaction {
        try repository.begin(on: state, writer: writer, moving: names)
    }
}

extension CommandContext {
    /// Opens the repository at its newest state.
    func open() throws -> OpenRepository {
        let repository = try repository()
        return OpenRepository(
            repository, state: try repository.state(), now: now, output: output)
    }
}

extension CompletionKind {
    /// Completes ref names, which most revisions begin with.
    ///
    /// Completion scripts run this executable for the names. It prints none, and no error, if there is no repository.
    static var revisions: CompletionKind {
        .custom { words, _, _ in
            var rest = words
            let context = CommandContext(options: GlobalOptions(extractedFrom: &rest))
            guard let state = try? context.repository().state() else { return [] }
            return state.refs.keys.sorted().map(\.text)
        }
    }
}
