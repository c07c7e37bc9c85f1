internal import Storage
internal import Synchronization

/// One large object on its way out of packs into a file.
///
/// Every thread takes the next runs of pieces, decodes them, writes them where they belong and verifies them;
/// together they prove the whole. Memory is bounded by a few pieces a thread.
final class LargeExport: Sendable {
    private let id: ObjectID
    private let pack: ObjectID
    private let recipe: PackFooter.Recipe
    private let store: PackStore
    private let file: DestinationFile
    private let runs: [DigestSpan]
    private let progress: @Sendable (Int) -> Void
    private let next = Atomic<Int>(0)
    /// What went wrong, by the number of the run.
    private let failures = Mutex<[Int: ObjectError]>([:])

    /// Prepares to write the object that a recipe makes.
    ///
    /// - Parameter pack: The name of the pack that holds the recipe.
    init(
        _ id: ObjectID, _ recipe: PackFooter.Recipe, in pack: ObjectID, of store: PackStore,
        to file: DestinationFile, progress: @escaping @Sendable (Int) -> Void
    ) {
        self.id = id
        self.pack = pack
        self.recipe = recipe
        self.store = store
        self.file = file
        self.progress = progress
        runs = DigestSpan.runs(of: id, recipe)
    }

    /// Writes the object by at most this many threads.
    ///
    /// - Throws: What went wrong first, in the order of the pieces; the file is worth nothing then.
    func run(threads: Int) throws(ObjectError) {
        Threads.run(min(threads, runs.count)) {
            var reader = Reader(export: self)
            reader.verifyAll()
        }
        if let first = failures.withLock({ $0.min { $0.key < $1.key } }) { throw first.value }
    }

    /// What one of the threads reads.
    private struct Reader: SpanReader {
        struct Run {
            let number: Int
            var offset: Int
        }

        let export: LargeExport

        func next() -> Run? {
            guard export.failures.withLock({ $0.isEmpty }) else { return nil }
            let number = export.next.add(1, ordering: .relaxed).oldValue
            guard number < export.runs.count else { return nil }
            return Run(number: number, offset: export.runs[number].offset)
        }

        func digest(of run: Run) -> DigestSpan { export.runs[run.number] }

        func read(_ reference: Int, of run: inout Run) -> SpanPiece? {
            let (id, size) = (
                export.recipe.pieces[reference].id, export.recipe.pieces[reference].size
            )
            do throws(ObjectError) {
                let bytes = try export.store.decodedPiece(id, size: size)
                do throws(StorageError) {
                    try export.file.write(bytes.span, at: run.offset)
                } catch { throw .storage(error) }
                run.offset += size
                export.progress(size)
                return SpanPiece(bytes: bytes, wantsID: false)
            } catch {
                export.failures.withLock { $0[run.number] = error }
                return nil
            }
        }

        func take(_ id: ObjectID, ofPiece reference: Int, in run: Run) {}

        func finish(_ run: Run, isReached: Bool) {
            guard !isReached else { return }
            let pieces = export.recipe.pieces[export.runs[run.number].pieces]
            let error = export.store.damage(in: pieces, of: export.id, in: export.pack)
            export.failures.withLock { $0[run.number] = error }
        }
    }
}
