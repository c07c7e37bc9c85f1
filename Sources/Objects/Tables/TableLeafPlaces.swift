/// Goes forward through the leaves of a table without reading them, to say which of its nodes rows of
/// another version mostly come from.
struct TableLeafPlaces<Source: ObjectSource> {
    /// A node above the leaves, and which of its children the walk is at.
    private struct Step {
        let id: ObjectID
        let level: Int
        let children: [TablePlace]
        var index = 0
    }

    private let reader: TableReader<Source>
    private var steps: [Step] = []
    /// The leaf that the walk is at.
    private(set) var leaf: ObjectID

    /// Begins before the first leaf.
    init(_ table: Table, in source: Source) throws(ObjectError) {
        reader = TableReader(table, in: source)
        leaf = table.root
        try descend(to: .root(of: table))
        if !steps.isEmpty { try descend() }
    }

    /// The nodes above the leaf, by level.
    var path: [(id: ObjectID, level: Int)] { steps.map { ($0.id, $0.level) } }

    /// Goes on to the leaf where a row with this key, which is not before the last one, would be.
    mutating func advance(to key: Span<UInt8>) throws(ObjectError) {
        var depth = 0
        while depth < steps.count {
            let step = steps[depth]
            var index = step.index
            while index + 1 < step.children.count, !step.children[index].reaches(key) {
                index += 1
            }
            if index != step.index {
                steps[depth].index = index
                steps.removeLast(steps.count - depth - 1)
                return try descend(reaching: key)
            }
            depth += 1
        }
    }

    private mutating func descend(reaching key: Span<UInt8>) throws(ObjectError) {
        try descend()
        // What was descended into begins before the key.
        try advance(to: key)
    }

    /// Goes from the last step's child down to its first leaf.
    private mutating func descend() throws(ObjectError) {
        while let step = steps.last {
            let child = step.children[step.index]
            guard step.level > 1 else {
                leaf = child.id
                return
            }
            try descend(to: child)
        }
    }

    private mutating func descend(to place: TablePlace) throws(ObjectError) {
        guard case .inner(let inner) = try reader.node(at: place) else { return }
        steps.append(
            Step(id: place.id, level: inner.node.level, children: place.children(of: inner.node)))
    }
}
