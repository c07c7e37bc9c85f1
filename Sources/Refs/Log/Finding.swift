/// Something that is not as it must be.
public struct Finding: Hashable, Sendable {
    /// What is wrong.
    public let problem: String
    /// Where: a file below the repository.
    public let place: String
    /// The refs, or whatever else, that it touches; empty when it harms nothing.
    public let affects: [String]

    /// Makes a finding.
    public init(problem: String, place: String, affects: [String] = []) {
        self.problem = problem
        self.place = place
        self.affects = affects
    }
}
