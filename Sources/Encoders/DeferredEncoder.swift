internal import Artifacts
internal import Storage
internal import Synchronization

/// An encoder whose weights are read when they are needed first, once.
final class DeferredEncoder: Sendable {
    private let read: @Sendable () throws(EncoderError) -> BertEncoder
    private let known = Mutex<BertEncoder?>(nil)

    init(_ read: @escaping @Sendable () throws(EncoderError) -> BertEncoder) { self.read = read }

    /// The encoder.
    ///
    /// - Parameter check: Called with an encoder that was just read, which is kept only if it passes.
    func encoder(
        _ check: (BertEncoder) throws(EmbeddingError) -> Void
    ) throws(EmbeddingError) -> BertEncoder {
        try known.withLock { (known) throws(EmbeddingError) in
            if let known { return known }
            let encoder = try wrapping(as: EmbeddingError.init) { () throws(EncoderError) in
                try read()
            }
            try check(encoder)
            known = encoder
            return encoder
        }
    }
}
