internal import Objects
internal import Refs

/// Whether what a collection is about to remove is garbage still, after others have committed something.
struct CollectionRecheck {
    private let draft: CollectionDraft
    private let repository: Repository
    private let options: CollectionOptions
    private let going: Set<ObjectID>
    private var marks: PackMarks
    private var checked: Int

    init(_ draft: CollectionDraft, _ repository: Repository, _ options: CollectionOptions) {
        self.draft = draft
        self.repository = repository
        self.options = options
        going = Set(draft.going.map(\.name))
        marks = draft.plan.marks
        checked = draft.state.number
    }

    /// Looks at what is new since the last time; orphans that are none any more are taken out of the proposal.
    ///
    /// - Throws: `outdated` when everything must be decided anew.
    mutating func run(
        _ proposal: inout Proposal, removed: Set<ObjectID>, in state: State
    ) throws(RefError) {
        guard options.rules(in: state) == draft.rules else { throw .outdated }
        let live = try state.packs
        let liveNames = Set(live.map(\.name))
        let condemned = draft.condemned
        proposal.removedPacks.removeAll {
            condemned.contains($0) && (removed.contains($0) || liveNames.contains($0))
        }
        for name in proposal.addedPacks.map(\.name) + going where removed.contains(name) {
            throw .outdated
        }
        let after = live.filter { !going.contains($0.name) } + proposal.addedPacks
        let roots = try repository.log.roots(
            in: state, draft.rules, at: draft.time, after: checked)
        let isGarbage: Bool
        do throws(ObjectError) {
            isGarbage = try isStillGarbage(
                roots, removed: removed, live: live, after: after, own: proposal.addedPacks)
        } catch {
            // Another collector may have removed the pack that could not be read; the next attempt will tell.
            throw .outdated
        }
        guard isGarbage else { throw .outdated }
        checked = state.number
    }

    private mutating func isStillGarbage(
        _ roots: [RetentionRoot], removed: Set<ObjectID>, live: [PackReference],
        after: [PackReference],
        own: [PackReference]
    ) throws(ObjectError) -> Bool {
        let store = repository.objects(after)
        // Packs on which the decision counted, and which were merged since.
        for pack in draft.live where removed.contains(pack.name) {
            guard try store.holdsAll(of: pack) else { return false }
        }
        let known = Set(marks.packs)
        let new = live.filter { !known.contains($0) }
        try marks.add(new)
        _ = marks.takeTouched()
        for root in roots { try root.mark(&marks) }
        guard marks.takeTouched().isSubset(of: after.map(\.name)) else { return false }
        for pack in new + own where try !PackMarks.isWhole(pack, in: store) { return false }
        return true
    }
}
