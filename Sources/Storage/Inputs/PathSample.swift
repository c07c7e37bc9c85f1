/// Some paths, and how many there are.
public struct PathSample: Sendable {
    /// The first of them, printable.
    public private(set) var paths: [String] = []
    /// How many there are.
    public private(set) var count = 0

    static let limit = 20

    mutating func add(_ path: @autoclosure () -> String) {
        if count < Self.limit { paths.append(path()) }
        count += 1
    }
}
