@testable import Conditions
import Storage
import TestSupport
import Testing

@testable import Objects

@Suite("Conditions")
struct ConditionTests {
    @Test(
        "a condition reads back from its own text",
        arguments: [
            ("a = 1", "a = 1"), ("a='x'", "a = 'x'"), ("a = 'it''s'", "a = 'it''s'"),
            ("\"recall@10\" >= 0.8", "\"recall@10\" >= 0.8"),
            ("metrics.\"recall@10\" >= .8e1", nil),
            ("metrics.\"recall@10\" >= 8e-1", "\"metrics.recall@10\" >= 0.8"),
            ("\"a\".\"b\".c = 1", "a.b.c = 1"),
            ("\"say \"\"hi\"\"\" is null", "\"say \"\"hi\"\"\" is null"),
            ("a IS NOT NULL", "a is not null"), ("not a is null", "a is not null"),
            ("a in (1, 2,3)", "a in (1, 2, 3)"), ("a not in ('x')", "not a in ('x')"),
            ("created >= 2026-01-01", "created >= 2026-01-01T00:00:00.000Z"),
            ("created < 2026-01-01T09:30", "created < 2026-01-01T09:30:00.000Z"),
            ("a = 1 and b = 2 or c = 3", "(a = 1 and b = 2) or c = 3"),
            ("a = 1 and (b = 2 or c = 3)", "a = 1 and (b = 2 or c = 3)"),
            ("not (a = 1 or b = 2)", "not (a = 1 or b = 2)"), ("not not a = 1", "not not a = 1"),
            ("((a = 1))", "a = 1"), ("a = true AND b != FALSE", "a = true and b != false"),
            ("\"and\" = 1", "\"and\" = 1"), ("android = 1", "android = 1"),
            ("a = -1.5e3", "a = -1500"), ("x-y_z.w2 <= 1", "x-y_z.w2 <= 1"),
            ("a\n=\t1", "a = 1"), ("name = 'e\u{301}'", "name = 'e\u{301}'"),
        ] as [(String, String?)])
    func rendering(_ text: String, _ canonical: String?) throws {
        guard let canonical else {
            #expect(throws: ConditionError.self) { try Condition(text) }
            return
        }
        let condition = try Condition(text)
        #expect(condition.description == canonical)
        #expect(try Condition(canonical) == condition)
    }

    @Test(
        "a malformed condition is refused with the place of the mistake",
        arguments: [
            ("", 1), ("a", 2), ("a =", 4), ("a = ", 5), ("= 1", 1), ("a == 1", 3), ("a <> 1", 3),
            ("a = 'x", 5), ("\"a = 1", 1), ("a = 1 b = 2", 7), ("a = 1 and", 10), ("(a = 1", 7),
            ("a = 1)", 6), ("a = null", 5), ("a is 1", 6), ("a in 1", 6), ("a in ()", 7),
            ("a in (1", 8), ("a not 1", 7), ("'a' = 1", 1), ("a = b", 5), ("1 = a", 1),
            ("and = 1", 1), ("a = 2026-13-01", 5), ("a = 01", 5), ("a = 1e999", 5), ("\"\" = 1", 1),
            ("a ~ 1", 3), ("a like 'x'", 3), ("a = \"x\"", 5), ("a = 1; b", 6),
        ])
    func mistakes(_ text: String, _ column: Int) {
        let error = #expect(throws: ConditionError.self) { try Condition(text) }
        guard case .syntax(column, _)? = error else {
            Issue.record("\(text): \(String(describing: error))")
            return
        }
        #expect(error?.fault == .usage && error?.message.contains("\n") == false)
    }

    @Test("conditions beyond the limits are refused, those at the limits are read")
    func limits() throws {
        func nested(_ depth: Int, _ opening: String, _ closing: String) -> String {
            String(repeating: opening, count: depth) + "a = 1"
                + String(repeating: closing, count: depth)
        }
        for (opening, closing) in [("(", ")"), ("not ", ""), ("not (", ")")] {
            let each = opening.count > 4 ? 2 : 1
            let depth = Condition.depthLimit / each
            let condition = try Condition(nested(depth, opening, closing))
            #expect(try Condition(condition.description) == condition)
            #expect(throws: ConditionError.self) {
                try Condition(nested(depth + 1, opening, closing))
            }
        }
        #expect(throws: ConditionError.self) { try Condition(nested(2000, "(", ")")) }
        let long = "a = 1" + String(repeating: " or a = 1", count: 900)
        #expect(try Condition(long).names.count == 901)
        #expect(throws: ConditionError.self) {
            try Condition(String(repeating: " ", count: Condition.byteLimit) + "a = 1")
        }
    }

    private static let schema = ConditionSchema([
        "text": .text, "number": .number, "time": .time, "truth": .truth, "list": .structure,
        "date": .timeText, "empty": .unknown, "tags": .texts,
    ])

    @Test(
        "an undeclared name, or a value of another type, is a usage error with its place",
        arguments: [
            ("text = 'x'", nil), ("text = 1", 8), ("text = 2026-01-01", 8), ("text = true", 8),
            ("number >= 0.5", nil), ("number = 'x'", 10), ("number in (1, 'x')", 15),
            ("time >= 2026-01-01", nil), ("time >= '2026-01-01'", nil), ("time = 'soon'", 8),
            ("time = 1", 8), ("truth = true", nil), ("truth != false", nil), ("truth = 1", 9),
            ("truth < true", 1), ("list is null", nil), ("list = 'x'", 8), ("date = 'x'", nil),
            ("date < 2026-01-01", nil), ("date = 1", 8), ("empty = 1 or empty = 'x'", nil),
            ("other = 1", 1), ("\"a\nb\" = 1", 1), ("number = 1 and other is null", 16),
            ("not (Text = 'x')", 6), ("tags = 'x' and tags not in ('y')", nil), ("tags = 1", 8),
            ("tags = true", 8), ("tags < 'x'", 1), ("tags is null", nil),
        ] as [(String, Int?)])
    func types(_ text: String, _ column: Int?) throws {
        let condition = try Condition(text)
        guard let column else {
            _ = try Self.schema.checked(condition)
            return
        }
        let error = #expect(throws: ConditionError.self) { try Self.schema.checked(condition) }
        #expect(
            error?.message.contains("(at byte \(column))") == true, "\(String(describing: error))")
        #expect(error?.fault == .usage && error?.message.contains("\n") == false)
    }

    private func record(_ text: String) throws -> ConditionRecord {
        ConditionRecord(try #require(try JSON(parsing: Array(text.utf8).span).object))
    }

    @Test(
        "a missing value passes only `is null`, also under `not`",
        arguments: [
            ("x = 1", false), ("not (x = 1)", false), ("x != 1", false), ("x in (1, 2)", false),
            ("x not in (1, 2)", false), ("x is null", true), ("not x is null", false),
            ("x = 1 or a = 1", true), ("x = 1 and a = 1", false), ("not (x = 1 and a = 2)", true),
            ("not (x = 1 or a = 2)", false), ("n = 1", false), ("n is null", true),
            ("s.deep = 'v'", true), ("\"s.deep\" = 'v'", true), ("s.none is null", true),
            ("a in (3, 1)", true), ("a in (3, 'x')", false), ("a != 2", true),
            ("t > 'B'", true), ("t > 'b'", false), ("d >= 2026-01-01", true),
            ("d < 2026-01-01T00:00:01", true), ("t >= 2026-01-01", false),
            ("not (t >= 2026-01-01)", false), ("b = true", true), ("b != true", false),
            ("l = 'x'", true), ("l = 'z'", false), ("l != 'z'", true), ("l != 'x'", false),
            ("l in ('z', 'y')", true), ("l not in ('z')", true), ("not (l = 'x')", false),
            ("l = 1", false), ("not (l = 1)", false), ("l > 'a'", false), ("l is null", false),
            ("e = 'x'", false), ("e != 'x'", true), ("e is not null", true), ("m = 'x'", false),
        ])
    func truth(_ text: String, _ holds: Bool) throws {
        let record = try record(
            #"{"a":1,"n":null,"s":{"deep":"v"},"t":"b","d":"2026-01-01","b":true,"l":["x","y"],"e":[],"m":["x",1]}"#
        )
        #expect(try Condition(text).holds(of: record) == holds)
    }

    @Test("a schema is learned from records, only for the names that a condition uses")
    func observed() throws {
        var observed = ObservedSchema(for: try Condition("a > 1 and b.c = 'x' and z is null"))
        observed.observe(try record(#"{"a":null,"b":{"c":"x"}}"#))
        #expect(!observed.isComplete)
        observed.observe(try record(#"{"a":2}"#))
        #expect(!observed.isComplete)
        let error = #expect(throws: ConditionError.self) {
            try observed.schema.checked(try Condition("z is null"))
        }
        #expect(error == .undeclared("z", column: 1, names: ["a", "b", "b.c"]))
        observed.observe(try record(#"{"z":true}"#))
        #expect(observed.isComplete)
        #expect(throws: ConditionError.self) {
            try observed.schema.checked(try Condition("a = 'x'"))
        }
    }

    // MARK: Properties

    private static let names = ["a", "b", "recall@10", "say \"hi\"", "not", "a.b", "n\u{FC}"]

    // swift-format-ignore: NeverForceUnwrap
    private static let day = Timestamp(year: 2026, month: 1, day: 1)!
    // swift-format-ignore: NeverForceUnwrap
    private static let before = Timestamp(milliseconds: day.milliseconds - 1)!
    // swift-format-ignore: NeverForceUnwrap
    private static let after = Timestamp(milliseconds: day.milliseconds + 1)!

    private func value(_ random: inout SeededGenerator) -> ConditionValue {
        switch Int.random(in: 0..<5, using: &random) {
        case 0:
            .text(["", "x", "it's", "e\u{301}", "2026-01-01"].randomElement(using: &random) ?? "")
        case 1: .number(Double(Int.random(in: -2...2, using: &random)) / 2)
        case 2: .number(Double.random(in: -1e9...1e9, using: &random))
        case 3:
            .time([Self.before, Self.day, Self.after].randomElement(using: &random) ?? Self.day)
        default: .truth(Bool.random(using: &random))
        }
    }

    private func condition(_ random: inout SeededGenerator, depth: Int) -> Condition {
        let name = Condition.Name(Self.names.randomElement(using: &random) ?? "a")
        func several() -> [Condition] {
            (0..<Int.random(in: 2...3, using: &random)).map { _ in
                condition(&random, depth: depth - 1)
            }
        }
        switch Int.random(in: 0..<(depth > 0 ? 7 : 4), using: &random) {
        case 0, 1:
            return .comparison(
                name, Condition.Operator.allCases.randomElement(using: &random) ?? .equal,
                Condition.Literal(value(&random)))
        case 2:
            let values = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                Condition.Literal(value(&random))
            }
            return .membership(name, values)
        case 3: return .absence(name)
        case 4: return .not(condition(&random, depth: depth - 1))
        case 5: return .all(several())
        default: return .any(several())
        }
    }

    /// False, unknown and true as 0, 1 and 2: `and` is the least, `or` the greatest (Kleene, 1938).
    private func kleene(_ condition: Condition, _ values: [String: ConditionValue]) -> Int {
        func compare(
            _ left: ConditionValue, _ comparison: Condition.Operator, _ right: ConditionValue
        )
            -> Int
        {
            let isOrdered: (less: Bool, same: Bool)
            switch (left, right) {
            case (.text(let a), .text(let b)):
                let (a, b) = (Array(a.utf8), Array(b.utf8))
                isOrdered = (a.lexicographicallyPrecedes(b), a == b)
            case (.number(let a), .number(let b)): isOrdered = (a < b, a == b)
            case (.time(let a), .time(let b)): isOrdered = (a < b, a == b)
            case (.text("2026-01-01"), .time(let b)):
                isOrdered = (Self.day < b, Self.day == b)
            case (.truth(let a), .truth(let b)): isOrdered = (!a && b, a == b)
            default: return 1
            }
            let holds =
                switch comparison {
                case .equal: isOrdered.same
                case .unequal: !isOrdered.same
                case .less: isOrdered.less
                case .lessOrEqual: isOrdered.less || isOrdered.same
                case .greater: !isOrdered.less && !isOrdered.same
                case .greaterOrEqual: !isOrdered.less
                }
            return holds ? 2 : 0
        }
        switch condition {
        case .comparison(let name, let comparison, let literal):
            return values[name.text].map { compare($0, comparison, literal.value) } ?? 1
        case .membership(let name, let literals):
            guard let value = values[name.text] else { return 1 }
            return literals.map { compare(value, .equal, $0.value) }.max() ?? 0
        case .absence(let name): return values[name.text] == nil ? 2 : 0
        case .not(let inner): return 2 - kleene(inner, values)
        case .all(let inner): return inner.map { kleene($0, values) }.min() ?? 2
        case .any(let inner): return inner.map { kleene($0, values) }.max() ?? 0
        }
    }

    @Test(
        "the printed form reads back, and evaluation follows three-valued logic",
        arguments: 0..<4 as Range<UInt64>)
    func properties(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var held = 0
        for _ in 0..<2000 {
            let condition = condition(&random, depth: 4)
            let text = condition.description
            if text.utf8.count <= Condition.byteLimit {
                #expect(try Condition(text) == condition, "\(text)")
            }
            var values: [String: ConditionValue] = [:]
            for name in Self.names where Bool.random(using: &random) {
                values[name] = value(&random)
            }
            let holds = condition.holds { values[$0] }
            #expect(holds == (kleene(condition, values) == 2), "\(text)")
            if holds { held += 1 }
        }
        #expect(held > 200 && held < 1800)
    }
}
