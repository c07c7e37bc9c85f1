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
