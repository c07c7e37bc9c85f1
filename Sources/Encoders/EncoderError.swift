public import Objects
public import Storage

/// Why a folder of a model cannot be used as an encoder.
public enum EncoderError: Diagnosable, Hashable {
    /// The model needs something that this program does not have; `what` names it, such as `module Dense`.
    case unsupported(what: String, remedy: String? = nil)
    /// The model is not a cross-encoder with one output.
    case notCrossEncoder(reason: String)
    /// A file that every such model has is missing.
    case missing(file: String, remedy: String? = nil)
    /// A file does not say what it must.
    case malformed(file: String, reason: String)
    /// A file could not be read.
    case objects(ObjectError)

    /// See ``Diagnosable``.
    public var fault: Fault {
        if case .objects(let error) = self { error.fault } else { .refused }
    }

    /// See ``Diagnosable``.
    public var message: String {
        switch self {
        case .unsupported(let what, _): "this program cannot run the model: it has no \(what)"
        case .notCrossEncoder(let reason):
            "the model is not a cross-encoder with one output: \(reason)"
        case .missing(let file, _): "the model has no \(file)"
        case .malformed(let file, let reason): "the model's \(file) \(reason)"
        case .objects(let error): error.message
        }
    }

    /// See ``Diagnosable``.
    public var remedy: String? {
        switch self {
        case .unsupported(_, let remedy):
            remedy
                ?? "use a BERT-family model, or serve the model and set embed.url to its address"
        case .notCrossEncoder:
            "use a cross-encoder, such as a BertForSequenceClassification with one label"
        case .missing(_, let remedy): remedy ?? "put the model's whole folder with ftictl put"
        case .malformed: "get the model's folder again from where it came from"
        case .objects(let error): error.remedy
        }
    }
}

extension EncoderError {
    /// The error of a tokenizer's file.
    init(_ error: TokenizerError, file: String) {
        switch error {
        case .invalid(_, let reason):
            self = .malformed(file: file, reason: "is not usable: \(reason)")
        case .unsupported(_, let part, let type):
            self = .unsupported(what: "\(part) \(type) (\(file))")
        }
    }
}
