extension RandomAccessCollection where Index == Int {
    /// The first index whose element does not come before what is looked for; `endIndex` when all do. Asks about O(log n)
    /// elements.
    ///
    /// - Parameter isBefore: Whether an element comes before; true for none behind one for which it is false.
    package func binarySearch(_ isBefore: (Element) -> Bool) -> Int {
        var low = startIndex
        var high = endIndex
        while low < high {
            let middle = (low + high) / 2
            if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
