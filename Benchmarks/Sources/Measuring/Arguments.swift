/// The words after a program's name: positions in order, and `--name value` pairs anywhere.
public struct Arguments {
    /// Why a program cannot do what it was asked.
    public struct Refusal: Error, CustomStringConvertible {
        /// What is missing or wrong.
        public let description: String

        /// Refuses with a reason.
        public init(_ description: String) { self.description = description }
    }

    private var positions: [String] = []
    private var options: [String: String] = [:]

    /// Reads the words of the process.
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

    /// The word at a position, from 0.
    public func position(_ index: Int, _ name: String) throws -> String {
        guard index < positions.count else { throw Refusal("missing: \(name)") }
        return positions[index]
    }

    /// The value of an option, if it was given.
    public func option(_ name: String) -> String? { options[name] }

    /// The whole number that an option gives, or another.
    public func count(_ name: String, or usual: Int) -> Int {
        options[name].flatMap { Int($0) } ?? usual
    }
}
