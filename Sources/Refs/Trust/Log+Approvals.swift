internal import Objects
internal import Storage

extension Log {
    /// The approvals of moves that have expired although a writer's clock shows that they have not.
    ///
    /// A clock that is wrong, or was set back, must not bring back what has expired. So a writer also asks what it
    /// remembers of the time, and the place where the log is: how long ago, by its own clock, the approval's entry was
    /// written. A copy of a repository, or a segment, is younger than its entries, so that a place says that an approval has
    /// expired too late at worst, never too early.
    func lapsedApprovals(
        of changes: [RefChange], in state: State, at time: Timestamp
    ) throws(RefError) -> Set<Approval> {
        guard !state.approvals.isEmpty else { return [] }
        let names = Set(changes.map(\.name))
        let approvals = state.approvals.filter { names.contains($0.ref) && $0.expires > time }
        guard !approvals.isEmpty else { return [] }
        let newest = trust.memory?.newestTime(of: state.repositoryID) ?? time
        let files = approvals.flatMap { Self.files(holding: $0.transaction) }
        let ages: [BlobName: Int]
        do { ages = try bucket.ages(of: files) } catch { throw .storage(error) }
        var lapsed = Set(approvals.filter { $0.expires <= newest })
        var reader = entries()
        for approval in approvals {
            let age = Self.files(holding: approval.transaction).compactMap { ages[$0] }.max()
            guard let age else { continue }
            let given = try reader.entry(approval.transaction).clock.milliseconds
            if given + age >= approval.expires.milliseconds { lapsed.insert(approval) }
        }
        return lapsed
    }

    /// The files that an entry may be in.
    private static func files(holding number: Int) -> [BlobName] {
        [LogFile.entry(number)]
            + SegmentName.sizes.map { SegmentName(of: $0, holding: number).blob }
    }
}
