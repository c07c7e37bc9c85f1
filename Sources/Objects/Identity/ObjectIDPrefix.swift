/// The first digits of an identity, as people shorten it.
public struct ObjectIDPrefix: Hashable, Sendable, CustomStringConvertible {
    /// The digits, lower-case hexadecimal.
    public let hex: String
    /// The least identity that begins so.
    public let lowest: ObjectID

    /// The fewest digits that name anything: fewer match too much to be meant.
    public static let minimumDigits = 4

    /// Reads 4 to 62 lower-case hexadecimal digits, or all 64; gives nil for anything else.
    ///
    /// 63 digits are an identity that lost one.
    public init?(hex text: some StringProtocol) {
        let count = text.utf8.count
        guard (Self.minimumDigits...64).contains(count), count != 63,
            let lowest = ObjectID(hex: text + String(repeating: "0", count: 64 - count))
        else { return nil }
        hex = String(text)
        self.lowest = lowest
    }

    /// A whole identity.
    public init(_ id: ObjectID) {
        hex = id.hex
        lowest = id
    }

    /// The identity, when all of it is given.
    public var whole: ObjectID? { hex.utf8.count == 64 ? lowest : nil }

    /// Whether an identity begins so.
    public func matches(_ id: ObjectID) -> Bool { id.hex.utf8.starts(with: hex.utf8) }

    /// Same as ``hex``.
    public var description: String { hex }
}
