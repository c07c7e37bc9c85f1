internal import CKernels
internal import Objects
internal import Storage

/// The tensors of a safetensors file, read one at a time so that a model is never in memory twice.
struct TensorFile {
    private let id: ObjectID
    private let source: any ObjectSource
    private let tensors: [String: Tensor]
    // All bytes, where the source cannot read a part of an object.
    private let whole: [UInt8]?

    /// The greatest size of weights; no encoder of this family is nearly as large.
    private static let limit = 8 << 30
    /// The file's name in messages.
    static let name = "model.safetensors"

    /// Reads the header.
    ///
    /// - Throws: `malformed` when it is not a safetensors file.
    init(_ id: ObjectID, in source: any ObjectSource) throws(EncoderError) {
        self.id = id
        self.source = source
        let isRanged = source is any ObjectRangeSource
        let (size, whole) = try wrapping(as: EncoderError.objects) { () throws(ObjectError) in
            guard let size = try source.size(of: id) else { throw .missing(id) }
            return (size, isRanged ? nil : try source.read(id, limit: Self.limit))
        }
        self.whole = whole
        let read = { (offset: Int, count: Int) throws(EncoderError) in
            try Self.read(id, offset, count, in: source, whole: whole)
        }
        let prefix = try read(0, min(Safetensors.prefixCount, size))
        let length = try Self.parsing { () throws(SafetensorsError) in
            try Safetensors.headerLength(prefix: prefix.span, fileSize: size)
        }
        let bytes = try read(Safetensors.prefixCount, length)
        let header = try Self.parsing { () throws(SafetensorsError) in
            try Safetensors(header: bytes.span, fileSize: size)
        }
        tensors = Dictionary(
            header.tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Whether there is a tensor of that name.
    func has(_ name: String) -> Bool { tensors[name] != nil }

    /// The shape of a tensor.
    ///
    /// - Throws: `malformed` when there is no such tensor.
    func shape(of name: String) throws(EncoderError) -> [Int] {
        try tensor(name).shape
    }

    /// The numbers of a tensor in rows of the last dimension.
    ///
    /// - Parameter shape: The shape that it must have.
    /// - Throws: `malformed` when there is no such tensor, or it has another shape or a number that is not finite; `unsupported` for a type other than
    ///   F32, F16 and BF16.
    func numbers(_ name: String, _ shape: [Int]) throws(EncoderError) -> [Float] {
        let tensor = try tensor(name)
        guard tensor.shape == shape else {
            throw .malformed(
                file: Self.name,
                reason: "has the tensor \(name) of shape \(tensor.shapeDescription), not \(shape)")
        }
        let type: fti_number
        switch tensor.type {
        case .float32: type = FTI_FLOAT32
        case .float16: type = FTI_FLOAT16
        case .bfloat16: type = FTI_BFLOAT16
        default:
            throw .unsupported(
                what: "weights of type \(tensor.dtype) (tensor \(name))",
                remedy: "save the model in F32, F16 or BF16")
        }
        let bytes = try Self.read(
            id, tensor.range.lowerBound, tensor.range.count, in: source, whole: whole)
        var numbers = [Float](repeating: 0, count: tensor.elements)
        guard fti_widen(bytes, numbers.count, type, &numbers) else {
            throw .malformed(
                file: Self.name, reason: "has numbers in the tensor \(name) that are not finite")
        }
        return numbers
    }

    private func tensor(_ name: String) throws(EncoderError) -> Tensor {
        guard let tensor = tensors[name] else {
            throw .malformed(file: Self.name, reason: "has no tensor \(name)")
        }
        return tensor
    }

    private static func parsing<Value>(
        _ parse: () throws(SafetensorsError) -> Value
    ) throws(EncoderError) -> Value {
        do throws(SafetensorsError) { return try parse() } catch {
            throw .malformed(file: name, reason: "is \(error.description)")
        }
    }

    private static func read(
        _ id: ObjectID, _ offset: Int, _ count: Int, in source: any ObjectSource, whole: [UInt8]?
    ) throws(EncoderError) -> [UInt8] {
        if let whole { return Array(whole[offset..<offset + count]) }
        guard let source = source as? any ObjectRangeSource else { return [] }
        let bytes = try wrapping(as: EncoderError.objects) { () throws(ObjectError) in
            try source.read(id, offset: offset, count: count)
        }
        guard bytes.count == count else {
            throw .malformed(file: name, reason: "ends too early")
        }
        return bytes
    }
}
