import CommandSupport

/// What the log says of a transaction that nobody wrote a message for.
enum GeneratedMessage {
    /// The most characters that name what moved: a line or two. The entry itself lists every move.
    private static let limit = 400

    /// The verb and what it was done to, as far as there is room: `promote a to b, c to d, and 2,998 more`.
    static func text(_ verb: String, _ items: [String]) -> String {
        var shown: [String] = []
        var count = 0
        for item in items {
            guard shown.isEmpty || count + item.count <= limit else { break }
            shown.append(item.truncated(to: limit))
            count += item.count + 2
        }
        if shown.count < items.count {
            shown.append("and \(Quantity.count(items.count - shown.count)) more")
        }
        return "\(verb) \(shown.joined(separator: ", "))"
    }
}
