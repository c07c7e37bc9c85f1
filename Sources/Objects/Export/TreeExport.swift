public import Storage
internal import Synchronization

/// Writes stored trees and files below a destination.
///
/// Every file is verified while it is written, and gets its name once it is complete.
public struct TreeExport: Sendable {
    private let store: PackStore
    private let destination: DestinationTree
    private let progress: @Sendable (Int) -> Void

    /// Files of at least this many bytes are each written by several threads.
    private static let largeSize = 8 << 20

    /// Prepares to write objects of a store.
    ///
    /// - Parameter progress: Called, from any thread, with the number of bytes just written.
    public init(
        from store: PackStore, to destination: DestinationTree,
        progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.store = store
        self.destination = destination
        self.progress = progress
    }

    /// Writes the files and directories of a tree.
    ///
    /// Uses ``Threads/available`` threads; memory does not grow with the sizes of the files.
    ///
    /// - Returns: The number of files and the sum of their sizes.
    /// - Throws: `corrupt` or `malformed` when the tree or a file is damaged; `storage` when a file cannot be
    ///   written. Files completed before the error remain.
    public func writeTree(_ root: ObjectID) throws(ObjectError) -> TreeSummary {
        var large: [TreeWalk.Element] = []
        var small: [TreeWalk.Element] = []
        var walk = try TreeWalk(root, in: store)
        while let element = try walk.next() {
            if element.entry.mode == .directory {
                try inStorage(destination.makeDirectory(element.path))
            } else if element.entry.size >= Self.largeSize {
                large.append(element)
            } else {
                small.append(element)
            }
        }
        for element in large { try writeFile(element.entry, as: element.path) }
        _ = try Threads.map(small, threads: Threads.available, group: 1) {
            (element) throws(ObjectError) in
            try writeFile(element.entry, as: element.path, threads: 1)
        }
        return TreeSummary(
            id: root, files: large.count + small.count,
            bytes: (large + small).reduce(0) { $0 + $1.entry.size })
    }

    /// Writes one file.
    ///
    /// - Parameter threads: The most threads that write a large file.
    /// - Throws: The errors of ``writeTree(_:)``; `malformed` when the file does not have the size that its entry
    ///   lists.
    public func writeFile(
        _ entry: TreeEntry, as path: RelativePath, threads: Int = Threads.available
    ) throws(ObjectError) {
        let location = try store.existing(entry.id)
        guard try store.size(at: location) == entry.size else {
            throw .malformed(
                entry.id, as: "file",
                reason: "its size is not the \(entry.size) bytes that its directory lists",
                offset: nil)
        }
        let file = try inStorage(
            destination.file(path, isExecutable: entry.mode == .executable))
        switch location {
        case .piece(let pack, let piece):
            let bytes = try store.bytes(of: pack.stored(entry.id, piece))
            try inStorage(file.write(bytes.span, at: 0))
            progress(bytes.count)
        case .recipe(let pack, let index):
            let export = LargeExport(
                entry.id, try pack.recipe(at: index), in: pack.reference, of: store, to: file,
                progress: progress)
            try export.run(threads: threads)
        }
        try inStorage(file.finish())
    }
}

/// Writes one large object to a file.
///
/// Every thread takes the next span of pieces, decodes them, writes them and verifies them; together the threads
/// verify the whole. Memory is bounded by a few pieces per thread.
private final class LargeExport: Sendable {
    private let id: ObjectID
    private let pack: PackReference
    private let recipe: PackFooter.Recipe
    private let store: PackStore
    private let file: DestinationFile
    private let spans: [DigestSpan]
    private let progress: @Sendable (Int) -> Void
    private let next = Atomic<Int>(0)
    /// The errors, by the number of the span.
    private let failures = Mutex<[Int: ObjectError]>([:])

    /// Prepares to write the object that a recipe describes.
    ///
    /// - Parameter pack: The pack that holds the recipe.
    init(
        _ id: ObjectID, _ recipe: PackFooter.Recipe, in pack: PackReference, of store: PackStore,
        to file: DestinationFile, progress: @escaping @Sendable (Int) -> Void
    ) {
        self.id = id
        self.pack = pack
        self.recipe = recipe
        self.store = store
        self.file = file
        self.progress = progress
        spans = DigestSpan.spans(of: id, recipe)
    }

    /// Writes the object on at most `threads` threads.
    ///
    /// - Throws: The error of the first span that failed; the caller must then discard the file.
    func run(threads: Int) throws(ObjectError) {
        Threads.run(min(threads, spans.count)) {
            var reader = Reader(export: self)
            reader.verifyAll()
        }
        if let first = failures.withLock({ $0.min { $0.key < $1.key } }) { throw first.value }
    }

    /// Why the digest of a span is wrong: the first damaged piece, or else the recipe.
    private func damage(in span: DigestSpan) -> ObjectError {
        do throws(ObjectError) {
            for reference in recipe.pieces[span.pieces] {
                _ = try store.pieceBytes(reference.id, size: reference.size)
            }
            return PackStore.corruptRecipe(id, in: pack)
        } catch { return error }
    }

    /// Reads the spans that one thread takes.
    private struct Reader: SpanReader {
        struct Span {
            let number: Int
            var offset: Int
        }

        let export: LargeExport

        func next() -> Span? {
            guard export.failures.withLock({ $0.isEmpty }) else { return nil }
            let number = export.next.add(1, ordering: .relaxed).oldValue
            guard number < export.spans.count else { return nil }
            return Span(number: number, offset: export.spans[number].offset)
        }

        func digest(of span: Span) -> DigestSpan { export.spans[span.number] }

        func read(_ reference: Int, of span: inout Span) -> SpanPiece? {
            let reference = export.recipe.pieces[reference]
            do throws(ObjectError) {
                let piece = try export.store.storedPiece(reference.id, size: reference.size)
                let bytes = try export.store.check(piece, .identityByCaller).bytes
                try inStorage(export.file.write(bytes.span, at: span.offset))
                span.offset += bytes.count
                export.progress(bytes.count)
                return SpanPiece(bytes: bytes, wantsID: false)
            } catch {
                export.failures.withLock { $0[span.number] = error }
                return nil
            }
        }

        func take(_ id: ObjectID, ofPiece reference: Int, in span: Span) {}

        func finish(_ span: Span, isReached: Bool) {
            guard !isReached else { return }
            let error = export.damage(in: export.spans[span.number])
            export.failures.withLock { $0[span.number] = error }
        }
    }
}
