internal import Objects

/// Reads stored bytes that must be a single JSON object in canonical form.
enum CanonicalDocument {
    /// Reads the object with `read`, which must consume every member.
    ///
    /// - Throws: `malformed`, naming the `kind` of the bytes.
    static func read<Value>(
        _ bytes: [UInt8], as kind: String, id: ObjectID?,
        _ read: (inout JSONObjectReader) throws(JSONSchemaError) -> Value
    ) throws(ObjectError) -> Value {
        let json: JSON
        do {
            json = try JSON(canonical: bytes)
        } catch {
            throw .malformed(id, as: kind, reason: error.reason, offset: error.offset)
        }
        guard let object = json.object else {
            throw .malformed(id, as: kind, reason: "it must be a JSON object", offset: nil)
        }
        do {
            var reader = JSONObjectReader(object)
            let value = try read(&reader)
            try reader.finish()
            return value
        } catch {
            throw .malformed(id, as: kind, reason: "\(error.path) \(error.reason)", offset: nil)
        }
    }
}
