public import Objects

/// The format of a file, determined by its content and not by its name.
public enum FileFormat: String, CaseIterable, Sendable {
    /// Tensors with text metadata.
    case safetensors
    /// Tensors with the metadata that llama.cpp needs.
    case gguf
    /// NumPy arrays without Python objects.
    case npy
    /// Python objects, whose loading can run code. Includes an `.npy` file of objects, and a compressed file with a
    /// pickle inside.
    case pickle
    /// A zip file with pickles, as written by `torch.save`, and by `numpy.savez` for arrays of objects.
    case zipPickle = "zip-pickle"
    /// A zip file in which every readable member was inspected and none is a pickle, an archive or a compressed file.
    case zip
    /// Any other archive or compressed file, in which no pickle was found; the file may not have been inspected
    /// completely.
    case archive
    /// Text in UTF-8, judged by the first 64 KiB.
    case text
    /// Anything else.
    case binary

    /// Whether loading the file can run code that it contains.
    public var runsCode: Bool { self == .pickle || self == .zipPickle }

    /// Detects the format of a stored file. Reads its header, and follows pickles as far as a program that loads them
    /// would.
    ///
    /// - Throws: `missing`, or what the source throws.
    public static func detect(
        _ id: ObjectID, in source: some ObjectRangeSource
    ) throws(ObjectError) -> FileFormat {
        try FormatSearch(id, in: source).format()
    }
}

/// Detects the format of a stored file.
struct FormatSearch<Source: ObjectRangeSource> {
    private let id: ObjectID
    private let source: Source
    private let size: Int
    private let head: [UInt8]
    private let budget = InflationBudget()

    /// How many bytes at the beginning decide whether a file is text. A pickle that begins after the first byte is
    /// searched for in the same bytes.
    private static var headSize: Int { 64 << 10 }
    /// The most offsets after the first at which to look for a pickle, and the most instructions to follow there.
    private static var laterStarts: Int { 4096 }
    private static var laterInstructions: Int { 1 << 14 }
    /// The maximum number of members of a tar file to inspect.
    private static var memberLimit: Int { 1 << 14 }
    /// The number of bytes that must inflate without an error to prove a zlib stream: chance does not produce so many.
    private static var convincing: Int { 4 << 10 }

    /// Reads the file's first bytes.
    ///
    /// - Throws: `missing`, or what the source throws.
    init(_ id: ObjectID, in source: Source) throws(ObjectError) {
        guard let size = try source.size(of: id) else { throw .missing(id) }
        self.id = id
        self.source = source
        self.size = size
        head = try source.read(id, offset: 0, count: min(size, Self.headSize))
    }

    func format() throws(ObjectError) -> FileFormat {
        if head.starts(with: ZipDirectory.magic) { return try zip() ?? truncatedZip }
        let scan = try scan(0..<size, head: head)
        if scan.runsCode { return .pickle }
        if scan.isArrays { return .npy }
        if head.starts(with: "GGUF".utf8) { return .gguf }
        if case .success = try Safetensors.read(id, in: source) { return .safetensors }
        let isText = Self.isText(head, isWhole: head.count == size)
        if scan.isPickle(isText: isText) { return .pickle }
        if let packed = PackedFormat(head, size: size), let format = try inside(packed) {
            return format
        }
        if isText { return .text }
        // A zip file may have other bytes before it.
        if let format = try zip() { return format }
        return try hasLaterPickle() ? .pickle : .binary
    }

    private func scan(_ range: Range<Int>, head: [UInt8] = []) throws(ObjectError) -> PickleScan {
        let rest = range.lowerBound + head.count..<range.upperBound
        var reader = ByteReader(RangeFeed(id, rest, in: source), after: head)
        return try PickleScan.scan(&reader)
    }

    private static func isText(_ head: [UInt8], isWhole: Bool) -> Bool {
        guard !head.contains(0) else { return false }
        if isWhole { return String(validating: head, as: UTF8.self) != nil }
        // The end of the head may split a character.
        return (0..<4).contains { String(validating: head.dropLast($0), as: UTF8.self) != nil }
    }

    /// Whether a pickle with a call begins after the first byte: some programs write a header before it.
    private func hasLaterPickle() throws(ObjectError) -> Bool {
        var starts = 0
        for at in head.indices.dropFirst().dropLast(2)
        where head[at] == 0x80 && head[at + 1] <= 5 && PickleInstruction(head[at + 2]) != nil {
            starts += 1
            guard starts <= Self.laterStarts else { break }
            let known = Array(head[at..<min(at + (4 << 10), head.count)])
            var reader = ByteReader(
                RangeFeed(id, at + known.count..<size, in: source), after: known)
            var machine = PickleMachine()
            _ = try machine.run(&reader, limit: Self.laterInstructions)
            if machine.trace.calls { return true }
        }
        return false
    }

    // MARK: Archives

    /// The format of a compressed file or an archive; nil if it turns out to be neither.
    private func inside(_ packed: PackedFormat) throws(ObjectError) -> FileFormat? {
        switch packed {
        case .other: return .archive
        case .tar: return try tarHasPickle() ? .pickle : .archive
        case .gzip: return try inflated(.gzip).isPickle ? .pickle : .archive
        case .zlib:
            let (isPickle, isStream) = try inflated(.zlib)
            return isPickle ? .pickle : isStream ? .archive : nil
        }
    }

    /// Whether the inflated bytes are a pickle, and whether the file inflates at all.
    private func inflated(
        _ wrapping: InflatedFeed<RangeFeed>.Wrapping
    ) throws(ObjectError) -> (isPickle: Bool, isStream: Bool) {
        func feed() -> InflatedFeed<RangeFeed> {
            InflatedFeed(
                RangeFeed(id, head.count..<size, in: source), after: head, wrapping,
                budget: budget)
        }
        var first = feed()
        let beginning = try first.next()
        let isStream = first.state != .broken || beginning.count >= Self.convincing
        var reader = ByteReader(feed())
        let scan = try PickleScan.scan(&reader)
        return (scan.isPickle(isText: Self.isText(beginning, isWhole: false)), isStream)
    }

    private func tarHasPickle() throws(ObjectError) -> Bool {
        var offset = 0
        var members = 0
        while offset + TarHeader.blockSize <= size, members < Self.memberLimit,
            let header = TarHeader(
                try source.read(id, offset: offset, count: TarHeader.blockSize))
        {
            members += 1
            let start = offset + TarHeader.blockSize
            let end = start + min(header.size, size - start)
            if try isPickle(start..<end) { return true }
            offset =
                end + (TarHeader.blockSize - header.size % TarHeader.blockSize)
                % TarHeader.blockSize
        }
        return false
    }

    private func isPickle(_ range: Range<Int>) throws(ObjectError) -> Bool {
        let scan = try scan(range)
        guard !scan.runsCode else { return true }
        guard scan.isPlain || scan.imports else { return false }
        let beginning = try source.read(
            id, offset: range.lowerBound, count: min(range.count, Self.headSize))
        return scan.isPickle(isText: Self.isText(beginning, isWhole: false))
    }

    // MARK: Zip

    /// The format of a zip file; nil if there is no directory at its end.
    private func zip() throws(ObjectError) -> FileFormat? {
        guard let archive = try ZipDirectory.read(id, size: size, in: source) else { return nil }
        if archive.entries.contains(where: { Self.hasPickleName($0.name) }) { return .zipPickle }
        var isSeen = !archive.isCut
        for entry in archive.entries {
            guard let range = try archive.content(of: entry, in: id, size: size, source) else {
                continue
            }
            switch entry.method {
            case 0 where !entry.isEncrypted:
                if try isPickle(range) { return .zipPickle }
                let beginning = try source.read(
                    id, offset: range.lowerBound, count: min(range.count, 4 << 10))
                if Self.isArchive(beginning, size: range.count) { isSeen = false }
            case 8 where !entry.isEncrypted:
                let feed = InflatedFeed(
                    RangeFeed(id, range, in: source), .none, budget: budget)
                var reader = ByteReader(feed)
                let beginning = Array(try reader.peek(4 << 10))
                let isText = Self.isText(beginning, isWhole: false)
                let scan = try PickleScan.scan(&reader)
                if scan.isPickle(isText: isText) { return .zipPickle }
                if Self.isArchive(beginning, size: .max) { isSeen = false }
            default: isSeen = false
            }
            guard !budget.isExhausted else { return .archive }
        }
        return isSeen ? .zip : .archive
    }

    /// Whether a member of an archive is itself an archive or compressed, and so is not inspected further. The first
    /// two bytes of a zlib stream do not count, because many tensors begin with them.
    private static func isArchive(_ beginning: [UInt8], size: Int) -> Bool {
        if beginning.starts(with: ZipDirectory.magic) { return true }
        switch PackedFormat(beginning, size: size) {
        case .other, .tar, .gzip: return true
        case .zlib, nil: return false
        }
    }

    /// The format of a file that begins like a zip file but has no directory. It is probably truncated, and no program
    /// loads it.
    private var truncatedZip: FileFormat {
        let length = head.count > 30 ? Int(head[26]) | Int(head[27]) << 8 : 0
        let name = head.dropFirst(ZipDirectory.headerSize).prefix(length)
        return Self.hasPickleName(Array(name)) ? .zipPickle : .archive
    }

    /// Whether the name of a zip member is that of a pickle.
    private static func hasPickleName(_ name: [UInt8]) -> Bool {
        let name = name.map { 0x41...0x5A ~= $0 ? $0 | 0x20 : $0 }
        return [".pkl", ".pickle"].contains { name.suffix($0.utf8.count).elementsEqual($0.utf8) }
    }
}
