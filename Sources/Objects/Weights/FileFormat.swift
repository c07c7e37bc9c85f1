/// What a file is, by its content and not by its name.
public enum FileFormat: String, CaseIterable, Sendable {
    /// Tensors and nothing else.
    case safetensors
    /// Tensors with the metadata that llama.cpp needs.
    case gguf
    /// One array of numbers.
    case npy
    /// Python objects: to load it is to run what it says. An `.npy` file of objects is one as well.
    case pickle
    /// A zip file with such objects in it, as `torch.save` writes it.
    case zipPickle = "zip-pickle"
    /// Any other zip file.
    case zip
    /// Text in UTF-8.
    case text
    /// Anything else.
    case binary

    /// Whether to load it is to run code that it brings.
    public var runsCode: Bool { self == .pickle || self == .zipPickle }

    /// The bytes at the beginning that are looked at.
    private static let headSize = 64 << 10
    /// The bytes at the end of a zip file that are looked at: its directory, unless it has more than ten thousand entries.
    private static let tailSize = 1 << 20

    /// Looks at a stored file: at its header, or its first ``headSize`` bytes.
    ///
    /// - Throws: `missing`, or what the source throws.
    public init(of id: ObjectID, in source: some ObjectRangeSource) throws(ObjectError) {
        guard let size = try source.size(of: id) else { throw .missing(id) }
        let head = try source.read(id, offset: 0, count: min(size, Self.headSize))
        if head.starts(with: "PK\u{3}\u{4}".utf8) {
            let start = max(0, size - Self.tailSize)
            let tail = try source.read(id, offset: start, count: size - start)
            self = ZipNames.hasPickle(head: head, tail: tail) ? .zipPickle : .zip
        } else if head.starts(with: [0x93] + "NUMPY".utf8) {
            self = Self.holdsObjects(head) ? .pickle : .npy
        } else if head.starts(with: "GGUF".utf8) {
            self = .gguf
        } else if PickleScan.isPickle(head, isWhole: head.count == size) {
            self = .pickle
        } else if case .success = try Safetensors.read(id, in: source) {
            self = .safetensors
        } else {
            self = Self.isText(head, isWhole: head.count == size) ? .text : .binary
        }
    }

    /// Whether the header of an `.npy` file names a type of objects: `'|O'`, alone or in a field.
    private static func holdsObjects(_ head: [UInt8]) -> Bool {
        guard let end = head.firstIndex(of: 0x0A) else { return true }
        let quote = UInt8(ascii: "'")
        for at in head.indices[..<end].dropLast(2) where head[at] == quote {
            let type = head[(at + 1)...]
            if type.starts(with: "O".utf8) || type.starts(with: "|O".utf8) { return true }
        }
        return false
    }

    private static func isText(_ head: [UInt8], isWhole: Bool) -> Bool {
        guard !head.contains(0) else { return false }
        if isWhole { return String(validating: head, as: UTF8.self) != nil }
        // The last character may have been cut in two.
        return (0..<4).contains { String(validating: head.dropLast($0), as: UTF8.self) != nil }
    }
}

/// The names of the files in a zip file, as far as they matter here.
private enum ZipNames {
    private static let suffixes = [".pkl", ".pickle"]

    /// Whether a file in it is named as pickles are: the first one, or any in the directory at its end.
    static func hasPickle(head: [UInt8], tail: [UInt8]) -> Bool {
        if isPickle(head, at: 0, lengthAt: 26, nameAt: 30) { return true }
        var at = 0
        while at + 46 <= tail.count {
            if tail[at] == 0x50, tail[at + 1] == 0x4B, tail[at + 2] == 1, tail[at + 3] == 2,
                isPickle(tail, at: at, lengthAt: 28, nameAt: 46)
            {
                return true
            }
            at += 1
        }
        return false
    }

    private static func isPickle(_ bytes: [UInt8], at: Int, lengthAt: Int, nameAt: Int) -> Bool {
        guard at + nameAt <= bytes.count else { return false }
        let length = Int(bytes[at + lengthAt]) | Int(bytes[at + lengthAt + 1]) << 8
        guard at + nameAt + length <= bytes.count else { return false }
        let name = bytes[(at + nameAt)..<(at + nameAt + length)].map { byte in
            (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
        }
        return suffixes.contains { name.suffix($0.utf8.count).elementsEqual($0.utf8) }
    }
}
