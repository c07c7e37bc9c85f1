internal import Synchronization

/// The packs of one bucket whose indexes have been read, for all stores over it.
///
/// A pack's bytes never change and its name vouches for its index, so what one store has read is good for
/// every other, whatever state of the log each is for. Safe to use from several threads.
public final class OpenPacks: Sendable {
    /// Packs that are kept although the newest store does not list them: readers of older states have them.
    private static let slack = 64

    private let packs = Mutex<[ObjectID: OpenPack]>([:])

    /// None yet.
    public init() {}

    /// The pack, if it has been read as the same reference says.
    subscript(_ reference: PackReference) -> OpenPack? {
        guard let pack = packs.withLock({ $0[reference.name] }), pack.reference == reference else {
            return nil
        }
        return pack
    }

    func insert(_ pack: OpenPack) { packs.withLock { $0[pack.reference.name] = pack } }

    /// Lets go of packs that are not listed, once there are many of them.
    func keep(_ listed: [PackReference]) {
        packs.withLock { packs in
            guard packs.count > 2 * listed.count + Self.slack else { return }
            let names = Set(listed.map(\.name))
            packs = packs.filter { names.contains($0.key) }
        }
    }
}
