import Foundation
import TestSupport
import Testing

@Suite("Figures")
struct FigureTests {
    @Test(
        "a measurement is shown with neither a wrong value nor meaningless digits",
        arguments: [
            ("0.99999", "0.99999"), ("0.9999999", "0.9999999"), ("0.9999999999", "0.9999999999"),
            ("1.00001", "1.00001"), ("0.50001", "0.50001"), ("99.999", "99.999"), ("1", "1"),
            ("0", "0"), ("-0.99999", "-0.99999"), ("0.3333333333333333", "0.3333"),
            ("0.6666666666666666", "0.6667"), ("12.345678901234", "12.3457"),
            ("0.30000000000000004", "0.3"), ("1234.5678", "1234.5678"), ("1e-7", "1e-7"),
            ("0.00001234", "0.00001234"), ("1234567", "1,234,567"), ("0.1", "0.1"),
            ("0.99995000000001", "0.99995"), ("3.0000000001", "3.0000000001"), ("1e21", "1e21"),
            ("0.0012345678901", "0.00123"), ("5e-324", "5e-324"), ("123456.789", "123456.789"),
        ])
    func measurements(typed: String, shown: String) throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("f", "x")
        #expect(try sandbox.ftictl("put", "models/x", "f", "--metric", "m=\(typed)").status == 0)
        for command in ["show", "log"] {
            let line = try sandbox.ftictl(command, "models/x").lines.first {
                $0.contains("  m  ")
            }
            #expect(line?.split(separator: " ").last.map(String.init) == shown, "\(command)")
        }
    }

    @Test(
        "both sides of a change are shown with enough digits to differ, and the difference without noise",
        arguments: [
            ("0.99999", "1", "0.99999 -> 1  (+0.00001)"),
            ("0.99999", "0.999999", "0.99999 -> 0.999999  (+0.000009)"),
            ("0.7", "0.8", "0.7 -> 0.8  (+0.1)"), ("0.3", "0.1", "0.3 -> 0.1  (-0.2)"),
            ("0.5882352941176471", "0.5135135135135135", "0.5882 -> 0.5135  (-0.0747)"),
            ("0.81234561111111", "0.81234999999999", "0.812346 -> 0.81235  (+0.00000439)"),
            ("297", "304", "297 -> 304  (+7)"), ("2", "2.5", "2 -> 2.5  (+0.5)"),
            ("1000000", "2500000", "1,000,000 -> 2,500,000  (+1,500,000)"),
        ])
    func changes(old: String, new: String, shown: String) throws {
        let sandbox = try Sandbox.withRepository()
        for (text, value) in [("one", old), ("two", new)] {
            try sandbox.write("f", text)
            #expect(
                try sandbox.ftictl("put", "models/x", "f", "--metric", "m=\(value)").status == 0)
        }
        let diff = try sandbox.ftictl("diff", "models/x~1", "models/x").output
        #expect(diff.contains("metrics.m: \(shown)\n"), "\(diff)")
        let log = try sandbox.ftictl("log", "models/x", "-n", "1").output
        let change = shown.split(separator: "(").last.map { $0.dropLast() } ?? ""
        #expect(log.contains(" \(change)"), "\(log)")
    }

    @Test("JSON and gates have the exact number")
    func exact() throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("f", "x")
        _ = try sandbox.ftictl("put", "models/x", "f", "--metric", "m=0.3333333333333333")
        let log = try sandbox.ftictl("log", "models/x", "--json").object()
        #expect((log["metrics"] as? [String: Double])?["m"] == 0.3333333333333333)
    }
}
