@testable import Maintenance
import Artifacts
import Foundation
import Objects
import Refs
import Synchronization
import TestSupport
import Testing

/// The committed repository is the fixture of the format: these tests fail when the code drifts from it.
@Suite("The example repository")
struct ExampleRepositoryTests {
    private static let path = Project.root.appending(path: ".fti-example").path

    private let repository: Repository
    private let state: State
    private let objects: PackStore

    init() throws {
        repository = try Repository(opening: Self.path)
        state = try repository.state()
        objects = try repository.objects(in: state)
    }

    @Test("the repository is small")
    func size() throws {
        let names = try FileManager.default.subpathsOfDirectory(atPath: Self.path)
        let sizes = try names.map { name in
            let attributes = try FileManager.default.attributesOfItem(
                atPath: "\(Self.path)/\(name)")
            return attributes[.size] as? Int ?? 0
        }
        #expect(sizes.reduce(0, +) < 2_000_000)
    }

    @Test("its log is sound")
    func log() throws {
        let report = try LogVerifier(repository.log).verify()
        #expect(report.findings.isEmpty, "\(report.findings)")
        #expect(report.entries == state.number + 1)
        #expect(report.state?.entryHash == state.entryHash)
    }

    @Test("it has features, datasets and models, each with an earlier version")
    func refs() throws {
        let names = state.refs.keys.map(\.text).sorted()
        for name in [
            "datasets/dpo", "datasets/sft", "features/prod", "features/staging", "models/candidate",
            "models/current",
        ] { #expect(names.contains(name)) }
        for target in ["features/prod@{1}", "models/current@{1}", "models/candidate~1"] {
            let resolver = Resolver(repository, state: state, now: state.time)
            _ = try resolver.snapshot(try Revision(target))
        }
    }

    @Test("every piece of every pack decodes to bytes with its id, and every large object is whole")
    func packs() throws {
        let bytes = Atomic<Int>(0)
        #expect(objects.audit(full: true) { bytes.add($0, ordering: .relaxed) } == [])
        #expect(try bytes.load(ordering: .relaxed) >= objects.packStatistics().rawBytes)
    }

    @Test("everything that a ref ever pointed at decodes, and all its links exist")
    func links() throws {
        var pending: [ObjectID] = []
        for number in 0...state.number {
            pending += try repository.log.entry(number).changes.compactMap(\.new)
        }
        var seen: Set<ObjectID> = []
        var kinds: Set<Snapshot.Kind> = []
        while let id = pending.popLast() {
            guard seen.insert(id).inserted else { continue }
            let snapshot = try Snapshot(id, in: objects)
            kinds.insert(snapshot.kind)
            pending += snapshot.parents + snapshot.inputs.values
            try check(snapshot.content)
            if let cursor = snapshot.cursor { try check(cursor) }
            if let space = snapshot.space {
                let decoded = try EmbeddingSpace(space, in: objects)
                #expect(decoded.id == space)
                _ = try decoded.availableEmbedder()
            }
            for link in snapshot.links {
                #expect(try objects.size(of: link) != nil, "\(id) names \(link)")
            }
        }
        #expect(kinds == [.features, .dataset, .model, .release])
    }

    private func check(_ content: Content) throws {
        switch content {
        case .table(let table): try table.check(in: objects)
        case .tree(let root, let files, let bytes):
            var walk = try TreeWalk(root, in: objects)
            var count = 0
            var sum = 0
            while let element = try walk.next() {
                guard element.entry.mode != .directory else { continue }
                let content = try objects.read(element.entry.id, limit: 1 << 26)
                #expect(ObjectID(of: content.span) == element.entry.id)
                #expect(content.count == element.entry.size)
                count += 1
                sum += content.count
            }
            #expect(count == files && sum == bytes)
        }
    }

    @Test("a program written from the format description alone can walk it")
    func walk() throws {
        let outcome = try Workbench().run(
            "python3 \(Project.root.path)/Tests/Fixtures/walk_repository.py .fti-example")
        #expect(outcome.status == 0, "\(outcome.error)")
        let bytes = Array(outcome.output.utf8)
        let report = try #require(try JSON(parsing: bytes.span).object)
        #expect(report["transactions"]?.integer == state.number + 1)
        let found = try #require(report["refs"]?.object)
        #expect(found.keys.count == state.refs.count)
        for (name, ref) in state.refs { #expect(found[name.text]?.string == ref.target.hex) }
        let kinds = try #require(report["objects"]?.object)
        for kind in ["file", "snapshot", "space", "table", "tree"] {
            #expect((kinds[kind]?.integer ?? 0) > 0, "\(kind)")
        }
    }

    @Test("the walk notices a changed byte", arguments: ["packs", "log"])
    func walkNotices(folder: String) throws {
        let bench = try Workbench()
        let files = try FileManager.default.contentsOfDirectory(
            atPath: bench.example.appending(path: folder).path
        ).filter { $0 != "tip" }.sorted()
        let file = bench.example.appending(path: "\(folder)/\(try #require(files.first))")
        var bytes = try Data(contentsOf: file)
        // Near the end: in a pack that is its index.
        bytes[bytes.count - 90] ^= 1
        try bytes.write(to: file)
        let outcome = try bench.run(
            "python3 \(Project.root.path)/Tests/Fixtures/walk_repository.py .fti-example")
        #expect(outcome.status == 1)
        #expect(outcome.error.contains("walk_repository: "))
    }
}
