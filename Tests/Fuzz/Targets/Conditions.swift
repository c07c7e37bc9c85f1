@testable import Conditions
@testable internal import Objects

extension FuzzTarget {
    /// Conditions: an accepted one survives a round trip, and its evaluation terminates.
    static let conditions = FuzzTarget(
        "conditions", longestInput: 512,
        words: [
            " and ", " or ", "not ", " in (", " is null", " is not null", "'", "''", "\"", "\"\"",
            " >= ", " != ", "2026-01-01", "T09:30", "true", "1e-3", "((((", ".", "\u{301}",
        ]
    ) { _ in
        [
            "a = 1", "\"recall@10\" >= 0.8 and not (author = 'it''s' or b in (1, 2))",
            "metrics.\"recall@10\" < -1.5e3", "created >= 2026-01-01T09:30 and x is not null",
        ].map { Array($0.utf8) }
    } run: { input throws(FuzzFinding) in
        let condition: Condition
        do throws(ConditionError) { condition = try Condition(utf8: Array(input)) } catch {
            _ = error.message
            _ = error.remedy
            return
        }
        // Quotes and numbers may grow when they are printed.
        let text = condition.description
        guard text.utf8.count <= Condition.byteLimit else { return }
        guard let again = try? Condition(text), again == condition else {
            throw FuzzFinding("\(text) does not read back")
        }
        let schema = ConditionSchema(["a": .number, "author": .text, "created": .time])
        do throws(ConditionError) { _ = try schema.checked(condition) } catch { _ = error.message }
        _ = condition.holds { name in name.utf8.count < 3 ? .number(1) : .text(name) }
    }
}
