import ArgumentParser
import CommandSupport
import Objects

/// The condition that a listing is cut down to.
struct ConditionOption: ParsableArguments {
    @Option(
        name: .customLong("where"),
        help: ArgumentHelp(
            "Show only what a condition holds of, such as \"author = 'ada'\".",
            valueName: "condition"))
    var text: String?

    /// The condition; nil when none is given.
    ///
    /// - Throws: ``ConditionError`` when it cannot be read.
    var condition: Condition? {
        get throws { try text.map { try Condition($0) } }
    }
}
