import CommandSupport

/// A measurement and how it changed.
struct MetricLine {
    let name: String
    let value: Double
    let previous: Double?

    /// Metrics of which less is better, by a part of their name.
    private static let falling = ["loss", "error", "perplexity", "latency", "seconds", "cost"]

    /// The name, the value, and an arrow with the change where there is one.
    func cells(_ style: Style) -> [Columns.Cell] {
        let name = Columns.Cell(name.printable())
        guard let previous, previous != self.value else {
            let value = Columns.Cell(Quantity.measurement(value), style.bold)
            return [name, value, Columns.Cell(previous == nil ? "" : "=", style.dim)]
        }
        let value = Columns.Cell(Quantity.measurements(self.value, previous).0, style.bold)
        let isRise = self.value > previous
        let isFall = Self.falling.contains { self.name.lowercased().contains($0) }
        let text = "\(isRise ? "▲" : "▼") \(Quantity.change(from: previous, to: self.value))"
        return [name, value, Columns.Cell(text, isRise != isFall ? style.green : style.red)]
    }
}

extension String {
    /// Whether the UTF-8 of another text is somewhere in this text's.
    fileprivate func contains(_ part: String) -> Bool {
        let part = Array(part.utf8)
        let bytes = Array(utf8)
        guard part.count <= bytes.count else { return false }
        return (0...bytes.count - part.count).contains { start in
            bytes[start..<start + part.count].elementsEqual(part)
        }
    }
}
