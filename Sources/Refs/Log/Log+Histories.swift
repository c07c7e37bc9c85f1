public import Objects

extension Log {
    /// Follows the histories of several refs at once, from the newest entry back: each entry is read once, however many
    /// refs it moves.
    ///
    /// - Parameter visit: Told of each value by the index of its cursor, and of the entry that set the value before
    ///   it; says whether to go on to that.
    /// - Throws: As ``History/next()``.
    func follow(
        _ cursors: [HistoryCursor], in state: State,
        _ visit: (_ index: Int, RefVersion, _ upcoming: Int?) throws(RefError) -> Bool
    ) throws(RefError) {
        var cursors = cursors
        // The cursors that go on at an entry, and those entries, the newest last.
        var waiting: [Int: [Int]] = [:]
        for (index, cursor) in cursors.enumerated() {
            if let number = cursor.upcoming { waiting[number, default: []].append(index) }
        }
        var numbers = waiting.keys.sorted()
        var reader = entries()
        let vouching = Vouching(state)
        while let number = numbers.popLast(), let indexes = waiting.removeValue(forKey: number) {
            guard let entry = try reader.find(number) else { throw cursors[indexes[0]].missing() }
            try vouching.check(entry)
            let actions = entry.refActions
            for index in indexes {
                let version = try cursors[index].follow(actions[cursors[index].name], of: entry)
                let upcoming = cursors[index].upcoming
                guard try visit(index, version, upcoming), let upcoming else { continue }
                if waiting[upcoming] == nil {
                    numbers.insert(upcoming, at: numbers.binarySearch { $0 < upcoming })
                }
                waiting[upcoming, default: []].append(index)
            }
        }
    }

    /// What each of some refs pointed at lately, the newest first; nil where it was removed.
    ///
    /// - Parameter count: The most values of one ref.
    /// - Throws: As ``History/next()``.
    public func newestTargets(
        of names: [RefName], count: Int, in state: State
    ) throws(RefError) -> [[ObjectID?]] {
        var targets: [[ObjectID?]] = Array(repeating: [], count: names.count)
        guard count > 0 else { return targets }
        let cursors = names.map { HistoryCursor($0, in: state) }
        try follow(cursors, in: state) { (index, version, _) throws(RefError) in
            targets[index].append(version.target)
            return targets[index].count < count
        }
        return targets
    }
}

extension LogEntry {
    /// What the transaction does to each ref that it moves.
    fileprivate var refActions: [RefName: Action] {
        var result: [RefName: Action] = [:]
        for action in actions {
            // Of two that move one ref, readers refuse the entry; history reads the first.
            if case .ref(let name, _, _, _) = action, result[name] == nil { result[name] = action }
        }
        return result
    }
}
