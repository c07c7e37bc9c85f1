import Objects

extension TableRow {
    /// The row as `cat` and `get` write it: its attributes, and its vector as `vector`.
    var exported: JSONObject {
        var object = attributes
        if !vector.isEmpty { object["vector"] = .array(vector.map { .real(Double($0)) }) }
        return object
    }
}
