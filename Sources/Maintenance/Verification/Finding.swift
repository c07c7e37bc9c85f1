internal import Objects

/// Something that is not as it must be.
public struct Finding: Hashable, Sendable {
    /// What is wrong.
    public let problem: String
    /// Where: a file below the repository.
    public let place: String
    /// The bytes of the file that it is in, as narrowly as is known; nil when it is the whole file.
    public let range: Range<Int>?
    /// The refs and snapshots, or whatever else, that it touches; empty when it harms nothing.
    public let affects: [String]
    /// What to do about it; nil when that is not known.
    public let remedy: String?

    /// Makes a finding.
    public init(
        problem: String, place: String, range: Range<Int>? = nil, affects: [String] = [],
        remedy: String? = nil
    ) {
        self.problem = problem
        self.place = place
        self.range = range
        self.affects = affects
        self.remedy = remedy
    }
}
