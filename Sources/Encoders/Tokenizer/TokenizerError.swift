public import Storage

/// Why the files of a tokenizer cannot be used.
public enum TokenizerError: Diagnosable, Hashable {
    /// A file is malformed, or its parts contradict each other.
    case invalid(file: String, reason: String)
    /// A file asks for something that this tokenizer does not do: `part` of the file, such as `normalizer`, has the
    /// given `type`.
    case unsupported(file: String, part: String, type: String)

    /// The class of the failure.
    public var fault: Fault { .usage }

    /// What is wrong, and in which file.
    public var message: String {
        switch self {
        case .invalid(let file, let reason): "\(file): \(reason)"
        case .unsupported(let file, let part, let type):
            "\(file): the \(part) '\(type)' is not supported"
        }
    }

    /// What to do next.
    public var remedy: String? {
        switch self {
        case .invalid: nil
        case .unsupported:
            "only WordPiece tokenizers of the BERT family run here; embed with this model through an embedding service"
        }
    }
}
