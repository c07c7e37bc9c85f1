public import ArgumentParser
public import Objects

/// The condition that a listing is cut down to.
public struct ConditionOption: ParsableArguments {
    /// The text of the condition.
    @Option(
        name: .customLong("where"),
        help: ArgumentHelp(
            "Look only at what meets a condition, such as \"author = 'ada'\".",
            valueName: "condition"))
    public var text: String?

    /// No condition.
    public init() {}

    /// The condition; nil when none is given.
    ///
    /// - Throws: ``ConditionError`` when it cannot be read.
    public var condition: Condition? {
        get throws { try text.map { try Condition($0) } }
    }
}
