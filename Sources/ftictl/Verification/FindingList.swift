import Objects
import Storage

/// What a verification found, each problem once with all that it affects.
struct FindingList {
    /// One problem.
    struct Finding {
        let problem: String
        let place: String
        var affects: [String]

        var json: JSON {
            [
                "problem": .string(problem), "where": .string(place),
                "affects": .array(affects.map { .string($0) }),
            ]
        }
    }

    private(set) var findings: [Finding] = []
    private var indexes: [String: Int] = [:]

    /// Adds a problem, or to what a known one affects.
    mutating func add(_ problem: String, at place: String, affects: [String] = []) {
        if let index = indexes[problem] {
            findings[index].affects += affects
        } else {
            indexes[problem] = findings.count
            findings.append(Finding(problem: problem, place: place, affects: affects))
        }
    }
}

extension ObjectError {
    /// The object or the pack that the error is about.
    var place: String {
        switch self {
        case .missing(let id), .collected(let id, _), .corrupt(let id, _), .tooLarge(let id, _, _):
            id.hex
        case .malformed(let id, _, _, _): id?.hex ?? "(unknown)"
        case .damagedPack(let name, _): "packs/\(name)"
        case .invalid(let what, _): what
        case .storage(let error): error.message
        }
    }
}
