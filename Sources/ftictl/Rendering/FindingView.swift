import CommandSupport
import Maintenance
import Objects
import Refs

extension Finding {
    /// `problem`, `where`, `offset`, `length`, `affects`, `repair`.
    var json: JSON {
        [
            "problem": .string(problem), "where": .string(place.description),
            "offset": range.map { .integer($0.lowerBound) } ?? .null,
            "length": range.map { .integer($0.count) } ?? .null,
            "affects": .array(affects.map { .string($0) }),
            "repair": remedy.map { .string($0) } ?? .null,
        ]
    }
}

extension Output {
    /// The most affected things that are listed for a person.
    private static var affectedLimit: Int { 12 }

    /// Tells what is wrong, where, what it affects and what to do.
    func show(_ finding: Finding) throws {
        try line("\(style.red("damage:")) \(finding.problem.printable())")
        let bytes = finding.range.map { ", bytes \($0.lowerBound) to \($0.upperBound - 1)" } ?? ""
        try line("    in \(finding.place.description.printable())\(bytes)")
        for affected in finding.affects.prefix(Self.affectedLimit) {
            try line("    affects \(affected.printable())")
        }
        let rest = finding.affects.count - Self.affectedLimit
        if rest > 0 { try line("    affects \(Quantity.count(rest)) more: --json lists them") }
        if let remedy = finding.remedy { try line("    try: \(remedy)") }
    }
}
