/// How long the pieces of a large object are, in bytes.
///
/// None of it enters an identity: other parameters only share fewer pieces with what is stored.
public struct CutParameters: Hashable, Sendable {
    /// No content-defined cut before this many bytes; at least 32, the window of the test.
    public let minimum: Int
    /// Where cuts become 16 times as likely: from there on, one in a quarter as many bytes.
    public let average: Int
    /// Where a piece is cut if nothing cut it before.
    public let maximum: Int

    /// Makes parameters; `32 <= minimum <= average <= maximum`.
    public init(minimum: Int, average: Int, maximum: Int) {
        precondition(32 <= minimum && minimum <= average && average <= maximum)
        self.minimum = minimum
        self.average = average
        self.maximum = maximum
    }

    /// For anything whose format is not known.
    ///
    /// 64 KiB on average: one edit in the middle costs about one piece, and the index is under 0.1 % of
    /// the data. Smaller pieces would find little more in models (12.1 MB against 12.6 MB for the
    /// benchmark's fine-tune) and double the index each time they halve.
    public static let content = CutParameters(
        minimum: 16 << 10, average: 64 << 10, maximum: 256 << 10)

    /// The length of the pieces inside one tensor.
    ///
    /// Tensors begin at a cut, so there is no shift to recover from; long pieces compress best and
    /// keep recipes short.
    public static let tensorPiece = 256 << 10
}
