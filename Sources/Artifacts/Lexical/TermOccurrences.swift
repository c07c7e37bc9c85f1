/// Rows, sections or documents that contain a term, in ascending order, each with a number.
struct TermOccurrences: Sendable {
    private var places: [UInt16] = []
    private var values: [Float] = []

    /// How many there are.
    var count: Int { places.count }

    /// About how much memory they take.
    var byteCount: Int { 64 + 6 * count }

    /// Adds a place above all places so far, with the term's frequency there.
    mutating func append(_ place: UInt16, _ frequency: Float) {
        places.append(place)
        values.append(frequency)
    }

    /// The groups that contain the places, with the sums of the frequencies.
    func grouped(by groups: [UInt16]) -> TermOccurrences {
        var grouped = TermOccurrences()
        for (place, value) in zip(places, values) {
            let group = groups[Int(place)]
            if grouped.places.last == group {
                grouped.values[grouped.values.count - 1] += value
            } else {
                grouped.append(group, value)
            }
        }
        return grouped
    }

    /// Each frequency f becomes f / (f + norm), without spare capacity.
    func saturated(by norms: [Float]) -> TermOccurrences {
        var saturated = TermOccurrences()
        saturated.places = places.map(\.self)
        saturated.values = zip(places, values).map { $1 / ($1 + norms[Int($0)]) }
        return saturated
    }

    /// Adds each number, times a weight, to the score at its place.
    func add(to scores: inout [Float], times weight: Float) {
        var scores = scores.mutableSpan
        let (places, values) = (places.span, values.span)
        for index in places.indices {
            scores[Int(places[unchecked: index])] += weight * values[unchecked: index]
        }
    }
}
