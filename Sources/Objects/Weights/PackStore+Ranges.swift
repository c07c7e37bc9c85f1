extension PackStore: ObjectRangeSource {
    /// See ``ObjectRangeSource``: the pieces that lie in the range, if it cuts none of them.
    public func pieces(of id: ObjectID, in range: Range<Int>) throws(ObjectError) -> [ObjectID]? {
        var result: [ObjectID] = []
        var start = 0
        for piece in try pieces(of: id) where start < range.upperBound {
            let end = start + piece.size
            if end > range.lowerBound {
                guard start >= range.lowerBound, end <= range.upperBound else { return nil }
                result.append(piece.id)
            }
            start = end
        }
        return result
    }
}
