/// Many arguments as few: the parser takes time with the square of their number, and a shell makes twenty thousand of
/// one `*`.
///
/// Long runs of values, and of one option with its values, are joined by a zero byte, which no argument of a process
/// has. What takes any number of values splits them again with ``Swift/Array/separated``.
enum ArgumentRuns {
    /// Shorter runs take no time that anybody notices.
    private static let threshold = 64

    static func joined(_ arguments: [String]) -> [String] {
        let arguments = attached(arguments)
        guard arguments.count > threshold else { return arguments }
        let end = arguments.firstIndex(of: "--") ?? arguments.count
        let options = joinedOptions(arguments[..<end])
        return joinedValues(options[...]) + arguments[end...].prefix(1)
            + joinedValues(arguments[end...].dropFirst())
    }

    /// Attaches texts that begin with a dash to their options, as `--message=- x`: the parser takes them for options.
    private static func attached(_ arguments: [String]) -> [String] {
        var result: [String] = []
        var index = 0
        while index < arguments.count, arguments[index] != "--" {
            if let option = texts[arguments[index]], index + 1 < arguments.count,
                isText(arguments[index + 1])
            {
                result.append("\(option)=\(arguments[index + 1])")
                index += 2
            } else {
                result.append(arguments[index])
                index += 1
            }
        }
        return result + arguments[index...]
    }

    /// The options that take a text, with the names that a value can be attached to.
    private static let texts: [String: String] = [
        "-m": "--message", "--message": "--message", "--override": "--override",
        "--metric": "--metric", "--param": "--param", "--param-json": "--param-json",
        "--where": "--where",
    ]

    /// Whether an argument begins with a dash but does not look like an option.
    private static func isText(_ argument: String) -> Bool {
        guard argument.utf8.first == UInt8(ascii: "-") else { return false }
        let name = argument.utf8.dropFirst(argument.hasPrefix("--") ? 2 : 1)
        return name.isEmpty
            || !name.allSatisfy { 0x61...0x7A ~= $0 || $0 == UInt8(ascii: "-") }
            || name.first == UInt8(ascii: "-")
    }

    /// Joins the values of an option that is given again and again.
    private static func joinedOptions(_ arguments: ArraySlice<String>) -> [String] {
        var values: [String: [String]] = [:]
        forEachRepeated(arguments) { option, value in values[option, default: []].append(value) }
        let joined = values.filter { $0.value.count > threshold }
        guard !joined.isEmpty else { return Array(arguments) }
        var result: [String] = []
        var index = arguments.startIndex
        var written: Set<String> = []
        while index < arguments.endIndex {
            let argument = arguments[index]
            if let values = joined[argument], index + 1 < arguments.endIndex {
                if written.insert(argument).inserted {
                    result += [argument, values.joined(separator: "\0")]
                }
                index += 2
            } else {
                result.append(argument)
                index += 1
            }
        }
        return result
    }

    private static func forEachRepeated(
        _ arguments: ArraySlice<String>, _ body: (_ option: String, _ value: String) -> Void
    ) {
        var index = arguments.startIndex
        while index < arguments.endIndex {
            if repeated.contains(arguments[index]), index + 1 < arguments.endIndex {
                body(arguments[index], arguments[index + 1])
                index += 1
            }
            index += 1
        }
    }

    /// The options that may be repeated at will.
    private static let repeated: Set<String> = ["--metric", "--param", "--param-json", "--input"]

    /// The first values of a run: the names of commands, the value of an option, arguments before those that may be many.
    private static let head = 8

    /// Joins long runs of values, but for the first ones.
    private static func joinedValues(_ arguments: ArraySlice<String>) -> [String] {
        var result: [String] = []
        var rest = arguments
        while !rest.isEmpty {
            let run = rest.prefix { $0.utf8.first != UInt8(ascii: "-") }
            if run.count > threshold {
                result += run.prefix(head) + [run.dropFirst(head).joined(separator: "\0")]
                rest = rest.dropFirst(run.count)
            } else {
                // An option, or values that are few.
                result += rest.prefix(max(1, run.count))
                rest = rest.dropFirst(max(1, run.count))
            }
        }
        return result
    }
}

extension [String] {
    /// The values as they were on the command line.
    public var separated: [String] {
        contains { $0.utf8.contains(0) }
            ? flatMap {
                $0.split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
            }
            : self
    }
}
