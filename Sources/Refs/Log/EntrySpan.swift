internal import Objects

/// The bytes of one entry's file, and where they were found.
package struct EntryFile: Sendable {
    package let number: Int
    package let bytes: [UInt8]
    /// The segment that they are in; nil for a file of its own.
    package let segment: SegmentName?

    init(number: Int, bytes: [UInt8], segment: SegmentName?) {
        self.number = number
        self.bytes = bytes
        self.segment = segment
    }

    init(_ number: Int, in segment: Segment) {
        self.init(number: number, bytes: segment.file(of: number), segment: segment.name)
    }

    /// Where they are, for messages.
    package var place: String { segment?.place ?? LogFile.place(of: number) }

    /// What is wrong with the entry, for a message that names the place.
    package func saying(_ reason: String) -> String {
        segment == nil ? reason : "entry \(number): \(reason)"
    }

    /// The entry.
    ///
    /// - Throws: As ``LogEntry/init(decoding:number:)``, naming the file that the bytes are in.
    package func decoded() throws(RefError) -> LogEntry {
        guard let segment else { return try LogEntry(decoding: bytes, number: number) }
        do throws(RefError) {
            return try LogEntry(decoding: bytes, number: number)
        } catch .damaged(_, let reason) {
            throw .damaged(place: segment.place, reason: saying(reason))
        } catch { throw error }
    }
}

/// Entries that follow one another, each with what is wrong with it.
package struct EntrySpan: Sendable {
    let first: Int
    package let files: [EntryFile]
    /// What stands in the place of the entry after them.
    package let failure: RefError?
    /// Whether there was no entry after them.
    package let isLast: Bool
    /// Where else an entry is looked for that is damaged in a segment; nil for nowhere.
    let spares: Log?

    init(
        first: Int, files: [EntryFile], failure: RefError?, isLast: Bool, spares: Log? = nil
    ) {
        self.first = first
        self.files = files
        self.failure = failure
        self.isLast = isLast
        self.spares = spares
    }

    init(_ segment: Segment, from number: Int, spares: Log? = nil) {
        self.init(
            first: number, files: (number...segment.name.last).map { EntryFile($0, in: segment) },
            failure: nil, isLast: false, spares: spares)
    }

    /// The entry in one of the files, or from elsewhere when that is damaged. Whether it then is the right one
    /// shows by those around it.
    func entry(in file: EntryFile) throws(RefError) -> LogEntry {
        do throws(RefError) {
            return try file.decoded()
        } catch {
            guard case .damaged = error, file.segment != nil,
                let spare = spares?.spare(of: file.number)
            else { throw error }
            return spare.entry
        }
    }

    /// So many entries are decoded by one thread at a time.
    private static let block = 64

    /// The entries, decoded and judged by several threads when they are many.
    package func decoded(
        _ judge: @Sendable (LogEntry) throws(RefError) -> Void = { (_) throws(RefError) in }
    ) -> [Result<LogEntry, RefError>] {
        let blocks = (files.count + Self.block - 1) / Self.block
        return Threads.map(blocks) { index in
            files[index * Self.block..<min((index + 1) * Self.block, files.count)].map { file in
                Result { () throws(RefError) in
                    let entry = try entry(in: file)
                    try judge(entry)
                    return entry
                }
            }
        }.flatMap(\.self)
    }

    /// The entries, their signatures checked by the same threads.
    ///
    /// - Parameter repository: What the signatures must be for.
    package func decoded(signedFor repository: RandomBits) -> [Result<LogEntry, RefError>] {
        decoded { (entry) throws(RefError) in try entry.checkSignature(for: repository) }
    }
}
