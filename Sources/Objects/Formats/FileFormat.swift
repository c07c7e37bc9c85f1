/// What a file is, by its content and not by its name.
public enum FileFormat: String, CaseIterable, Sendable {
    /// Tensors and nothing else.
    case safetensors
    /// Tensors with the metadata that llama.cpp needs.
    case gguf
    /// Arrays of numbers.
    case npy
    /// Python objects: to load it is to run what it says. An `.npy` file of objects is one as well, and so is what has
    /// one when it is inflated.
    case pickle
    /// A zip file with such objects in it, as `torch.save` and `numpy.savez` write it.
    case zipPickle = "zip-pickle"
    /// A zip file all of whose files were looked at.
    case zip
    /// A compressed file, or an archive, that nobody has seen the whole inside of.
    case archive
    /// Text in UTF-8.
    case text
    /// Anything else.
    case binary

    /// Whether to load it is to run code that it brings.
    public var runsCode: Bool { self == .pickle || self == .zipPickle }

    /// Looks at a stored file: at its header, and at as much as a program would follow that loads it as a pickle.
    ///
    /// - Throws: `missing`, or what the source throws.
    public init(of id: ObjectID, in source: some ObjectRangeSource) throws(ObjectError) {
        self = try FormatSearch(id, in: source).format()
    }
}

/// Finds out what a stored file is.
struct FormatSearch<Source: ObjectRangeSource> {
    private let id: ObjectID
    private let source: Source
    private let size: Int
    private let head: [UInt8]
    private let budget = InflationBudget()

    /// The bytes at the beginning that decide whether it is text, and in which later pickles are looked for.
    private static var headSize: Int { 64 << 10 }
    /// Places behind the beginning at which a pickle is looked for, and instructions of each that are followed.
    private static var laterStarts: Int { 4096 }
    private static var laterInstructions: Int { 1 << 14 }
    /// Files in a tar file that are looked at.
    private static var memberLimit: Int { 1 << 14 }
    /// Bytes that inflate without an error: chance does not make so many.
    private static var convincing: Int { 4 << 10 }

    /// Reads the beginning.
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
        if head.starts(with: ZipArchive.magic) { return try zip() ?? zipWithoutDirectory }
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
        // Bytes may stand before a zip file.
        if let format = try zip() { return format }
        return try hasLaterPickle() ? .pickle : .binary
    }

    private func scan(_ range: Range<Int>, head: [UInt8] = []) throws(ObjectError) -> PickleScan {
        let rest = range.lowerBound + head.count..<range.upperBound
        var reader = ByteReader(ObjectFeed(id, rest, in: source), after: head)
        return try PickleScan(&reader)
    }

    private static func isText(_ head: [UInt8], isWhole: Bool) -> Bool {
        guard !head.contains(0) else { return false }
        if isWhole { return String(validating: head, as: UTF8.self) != nil }
        // The last character may have been cut in two.
        return (0..<4).contains { String(validating: head.dropLast($0), as: UTF8.self) != nil }
    }

    /// Whether a pickle that calls something begins behind the beginning: some programs have a header of their own.
    private func hasLaterPickle() throws(ObjectError) -> Bool {
        var starts = 0
        for at in head.indices.dropFirst().dropLast(2)
        where head[at] == 0x80 && head[at + 1] <= 5 && PickleInstruction(head[at + 2]) != nil {
            starts += 1
            guard starts <= Self.laterStarts else { break }
            let known = Array(head[at..<min(at + (4 << 10), head.count)])
            var reader = ByteReader(
                ObjectFeed(id, at + known.count..<size, in: source), after: known)
            var machine = PickleMachine()
            _ = try machine.run(&reader, limit: Self.laterInstructions)
            if machine.trace.calls { return true }
        }
        return false
    }

    // MARK: Archives

    /// What a compressed file is; nil when it is none after all.
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

    /// Whether a pickle comes out, and whether it inflates at all.
    private func inflated(
        _ wrapping: InflatedFeed<ObjectFeed<Source>>.Wrapping
    ) throws(ObjectError) -> (isPickle: Bool, isStream: Bool) {
        func feed() -> InflatedFeed<ObjectFeed<Source>> {
            InflatedFeed(
                ObjectFeed(id, head.count..<size, in: source), after: head, wrapping,
                budget: budget)
        }
        var first = feed()
        let beginning = try first.next()
        let isStream = first.state != .broken || beginning.count >= Self.convincing
        var reader = ByteReader(feed())
        let scan = try PickleScan(&reader)
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

    /// What a zip file is; nil when there is no directory at its end.
    private func zip() throws(ObjectError) -> FileFormat? {
        guard let archive = try ZipArchive(of: id, size: size, in: source) else { return nil }
        if archive.entries.contains(where: { Self.isNamedSo($0.name) }) { return .zipPickle }
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
                    ObjectFeed(id, range, in: source), .none, budget: budget)
                var reader = ByteReader(feed)
                let beginning = Array(try reader.peek(4 << 10))
                let isText = Self.isText(beginning, isWhole: false)
                let scan = try PickleScan(&reader)
                if scan.isPickle(isText: isText) { return .zipPickle }
                if Self.isArchive(beginning, size: .max) { isSeen = false }
            default: isSeen = false
            }
            guard !budget.isExhausted else { return .archive }
        }
        return isSeen ? .zip : .archive
    }

    /// Whether what begins so has files of its own in it, which are not looked for. Two bytes begin a zlib stream, and
    /// many a tensor, so that those say nothing.
    private static func isArchive(_ beginning: [UInt8], size: Int) -> Bool {
        if beginning.starts(with: ZipArchive.magic) { return true }
        switch PackedFormat(beginning, size: size) {
        case .other, .tar, .gzip: return true
        case .zlib, nil: return false
        }
    }

    /// What a file is that begins as a zip file and does not end as one: nothing loads it as it is, and it may have
    /// been cut off.
    private var zipWithoutDirectory: FileFormat {
        let length = head.count > 30 ? Int(head[26]) | Int(head[27]) << 8 : 0
        let name = head.dropFirst(ZipArchive.headerSize).prefix(length)
        return Self.isNamedSo(Array(name)) ? .zipPickle : .archive
    }

    /// Whether a file in a zip file is named as pickles are.
    private static func isNamedSo(_ name: [UInt8]) -> Bool {
        let name = name.map { 0x41...0x5A ~= $0 ? $0 | 0x20 : $0 }
        return [".pkl", ".pickle"].contains { name.suffix($0.utf8.count).elementsEqual($0.utf8) }
    }
}
