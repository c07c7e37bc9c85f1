/// Some refs: one by its name, or all below a name, as `models/*`.
public struct RefPattern: Hashable, Sendable, CustomStringConvertible {
    private enum Form: Hashable {
        case one(RefName)
        /// The bytes that names begin with; they end in `/`.
        case below(String)
    }

    private let form: Form

    /// One ref.
    public init(_ name: RefName) { form = .one(name) }

    /// Reads a pattern.
    ///
    /// - Throws: `invalidName` or `unknownNamespace` when it is neither a name nor the beginning of names
    ///   with `/*` after it.
    public init(_ text: String) throws(RefError) {
        let bytes = Array(text.utf8)
        guard bytes.suffix(2).elementsEqual("/*".utf8) else {
            form = .one(try RefName(text))
            return
        }
        // The pattern matches names, so that with something in place of the star it must be one.
        _ = try RefName(String(decoding: bytes.dropLast(), as: UTF8.self) + "x")
        form = .below(String(decoding: bytes.dropLast(), as: UTF8.self))
    }

    /// The ref, when it is one by its name.
    public var only: RefName? {
        if case .one(let name) = form { name } else { nil }
    }

    /// Whether a ref is one of these.
    public func matches(_ name: RefName) -> Bool {
        switch form {
        case .one(let only): name == only
        case .below(let beginning): name.text.utf8.starts(with: beginning.utf8)
        }
    }

    /// As it is written.
    public var description: String {
        switch form {
        case .one(let name): name.text
        case .below(let beginning): beginning + "*"
        }
    }
}
