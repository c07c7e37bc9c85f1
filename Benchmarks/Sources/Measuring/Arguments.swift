/// The command line: positional arguments in order, and `--name value` pairs anywhere.
public struct Arguments {
    /// Why the arguments are unusable.
    public struct Refusal: Error, CustomStringConvertible {
        /// The missing argument or the error.
        public let description: String

        /// Creates an error with its message.
        public init(_ description: String) { self.description = description }
    }

    private var positions: [String] = []
    private var options: [String: String] = [:]

    /// Parses the arguments of the process.
    public init() {
        var words = CommandLine.arguments.dropFirst()
        while let word = words.popFirst() {
            if word.hasPrefix("--"), let value = words.popFirst() {
                options[String(word.dropFirst(2))] = value
            } else {
                positions.append(word)
            }
        }
    }

    /// Returns a positional argument, counted from 0; throws a ``Refusal`` that names it if it is missing.
    public func position(_ index: Int, _ name: String) throws -> String {
        guard index < positions.count else { throw Refusal("missing: \(name)") }
        return positions[index]
    }

    /// Returns the value of an option; nil if it was not given.
    public func option(_ name: String) -> String? { options[name] }

    /// Returns the integer value of an option; `usual` if it is missing or not an integer.
    public func count(_ name: String, or usual: Int) -> Int {
        options[name].flatMap { Int($0) } ?? usual
    }
}
