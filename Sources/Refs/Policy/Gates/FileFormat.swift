/// What a file is, by its content.
public enum FileFormat: String, CaseIterable, Sendable {
    /// Tensors and nothing else.
    case safetensors
    /// Tensors with the metadata that llama.cpp needs.
    case gguf
    /// One array.
    case npy
    /// Python objects: to load it is to run what it says.
    case pickle
    /// A zip file with a pickle in it, as `torch.save` writes it.
    case zipPickle = "zip-pickle"
    /// Any other zip file.
    case zip
    /// JSON.
    case json
    /// Text in UTF-8.
    case text
    /// Anything else.
    case binary
}
