internal import Objects
internal import Refs
internal import Storage

/// What a verification found, each problem once with all that it affects.
struct FindingList {
    private struct Item {
        let problem: String
        var place: String
        var range: Range<Int>?
        var affects: [String] = []
        var known: Set<String> = []
        var remedy: String?

        mutating func affect(_ name: String) {
            if known.insert(name).inserted { affects.append(name) }
        }
    }

    private var items: [Item] = []
    private var indexes: [ObjectError: Int] = [:]

    var findings: [Finding] {
        items.map {
            Finding(
                problem: $0.problem, place: $0.place, range: $0.range, affects: $0.affects,
                remedy: $0.remedy)
        }
    }

    /// Adds what is wrong with the log.
    mutating func add(_ finding: Finding) {
        items.append(
            Item(
                problem: finding.problem, place: finding.place, range: finding.range,
                affects: finding.affects, remedy: finding.remedy ?? Self.remedy(finding.place)))
    }

    /// Adds what is wrong with a pack.
    mutating func add(_ damage: PackDamage) {
        let place = "packs/\(damage.pack.hex)"
        let index = index(of: damage.error, at: place)
        // What is only made from something damaged does not say where that is.
        if let range = damage.range, items[index].range == nil {
            (items[index].place, items[index].range) = (place, range)
        }
    }

    /// Adds what is wrong with a snapshot that people know by these names, or with what it holds.
    mutating func add(_ damage: SnapshotVerifier.Damage, _ names: [String]) {
        let index = index(of: damage.error, at: damage.error.place)
        for name in names {
            items[index].affect(damage.path.isEmpty ? name : "\(name):\(damage.path)")
        }
    }

    private mutating func index(of error: ObjectError, at place: String) -> Int {
        if let index = indexes[error] { return index }
        indexes[error] = items.count
        items.append(Item(problem: error.message, place: place, remedy: Self.withCopy))
        return items.count - 1
    }

    private static let withCopy = "ftictl verify --repair --from COPY"

    /// What can be derived needs no copy.
    private static func remedy(_ place: String) -> String {
        let isCache =
            place.utf8.starts(with: "\(BucketFolder.checkpoints.rawValue)/".utf8)
            || place.utf8.elementsEqual(LogFile.tip.description.utf8)
        return isCache ? "ftictl verify --repair" : withCopy
    }
}

extension ObjectError {
    /// The object or the pack that the error is about.
    fileprivate var place: String {
        switch self {
        case .missing(let id), .collected(let id, _), .corrupt(let id, _), .tooLarge(let id, _, _):
            id.hex
        case .malformed(let id, _, _, _): id?.hex ?? "(unknown)"
        case .damagedPack(let name, _), .packGone(let name): "packs/\(name.hex)"
        case .invalid(let what, _): what
        case .storage(let error): error.message
        }
    }
}
