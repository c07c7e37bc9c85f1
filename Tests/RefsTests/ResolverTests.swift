import Objects
import Refs
import Storage
import Testing

@Suite("Resolving revisions")
struct ResolverTests {
    /// `models/a` had the values one, two and three, a day apart; three's dataset is `datasets/d`.
    private struct Fixture {
        let repository: Repository
        let values: [ObjectID]
        let dataset: ObjectID
        let clock = TestClock()
        let writer: Writer

        init() throws {
            writer = testWriter(clock: clock)
            repository = try Repository.create(in: MemoryBucket(), writer: writer)
            dataset = try #require(
                try repository.put("datasets/d", text: "data", writer: writer).refs[0].new)
            var values: [ObjectID] = []
            for (index, text) in ["one", "two", "three"].enumerated() {
                let transaction = try repository.begin(writer: writer)
                let file = try transaction.objects.write(Array(text.utf8), hint: .bulk)
                let sub = try Self.tree(["weights.bin": file], in: transaction.objects)
                let root = try Self.tree(["readme": file], ["sub": sub], in: transaction.objects)
                let snapshot = Snapshot(
                    kind: .model, content: .tree(root, files: 2, bytes: 2 * text.utf8.count),
                    parents: values.suffix(1), inputs: index == 2 ? ["dataset": dataset] : [:],
                    producer: .init(pipeline: "test", version: "1"), created: clock.now,
                    message: text)
                let id = try transaction.objects.write(snapshot.encoded, hint: .structured)
                _ = try transaction.commit([RefUpdate(try RefName("models/a"), new: id)])
                values.append(id)
                clock.advance(seconds: 86_400)
            }
            self.values = values
        }

        static func tree(
            _ files: [String: ObjectID], _ directories: [String: ObjectID] = [:],
            in objects: ObjectWriter
        ) throws -> ObjectID {
            var entries: [TreeEntry] = []
            for (members, mode) in [(files, TreeEntry.Mode.file), (directories, .directory)] {
                for (name, id) in members {
                    entries.append(
                        TreeEntry(
                            name: try FileName(name), mode: mode,
                            size: try #require(try objects.size(of: id)), id: id))
                }
            }
            return try objects.write(try Tree(entries).encoded, hint: .structured)
        }

        func resolver() throws -> Resolver {
            Resolver(repository, state: try repository.state(), now: clock.now)
        }

        func snapshot(_ text: String) throws -> ObjectID {
            try resolver().snapshot(try Revision(text))
        }

        func fault(_ text: String) throws -> (Fault?, String) {
            let resolver = try resolver()
            let error = refError { _ = try resolver.resolve(text) }
            return (error?.fault, error?.message ?? "")
        }
    }

    @Test("refs, ancestors, inputs, earlier values and times")
    func resolve() throws {
        let fixture = try Fixture()
        let (one, two, three) = (fixture.values[0], fixture.values[1], fixture.values[2])
        // Three values were set on August 1, 2 and 3 at 09:30; it is August 4, 09:30.
        let expected: [(String, ObjectID)] = [
            ("models/a", three), ("models/a~0", three), ("models/a~", two), ("models/a~2", one),
            ("models/a~1~1", one), ("models/a^dataset", fixture.dataset),
            ("models/a@{0}", three), ("models/a@{1}", two), ("models/a@{2}", one),
            ("models/a@{1}~1", one), ("models/a@{now}", three), ("models/a@{today}", three),
            ("models/a@{yesterday}", three), ("models/a@{25 hours ago}", two),
            ("models/a@{2 days ago}", two), ("models/a@{3 days ago}", one),
            ("models/a@{2026-08-03}", two), ("models/a@{2026-08-03T09:30Z}", three),
            ("models/a@{2026-08-03T09:29:59}", two), (three.hex, three),
            (String(two.hex.prefix(20)), two), ("\(three.hex)~1", two),
        ]
        for (text, id) in expected {
            #expect(try fixture.snapshot(text) == id, "\(text)")
        }
    }

    @Test("a missing name is reported with the names that exist")
    func missing() throws {
        let fixture = try Fixture()
        let one = fixture.values[0]
        let cases: [(String, String)] = [
            ("models/b", "models/a"), ("models/a~1000000", "only 3"), ("models/a~3", "only 3"),
            ("models/a^nosuchrole", "dataset"), ("models/a~1^dataset", "none"),
            ("models/a@{3}", "3"), ("models/a@{1900-01-01}", "2026-08-01"),
            ("models/a@{4 days ago}", "2026-08-01"), ("models/a:nosuch", "nosuch"),
            ("models/a:readme/x", "readme/x"), (String(repeating: "0", count: 64), "no object"),
            ("0000", "no object"),
        ]
        for (text, answer) in cases {
            let (fault, message) = try fixture.fault(text)
            #expect(fault == .missing, "\(text)")
            #expect(message.contains(answer), "\(text): \(message)")
        }
        // The content's id names an object that is not a snapshot.
        let content = try fixture.resolver().read(one).content.id
        #expect(try fixture.fault("\(content.hex)~1").0 == .missing)
        #expect(try fixture.resolver().resolve(content.hex).target == .object(content))
        #expect(try fixture.resolver().resolve(content.hex).snapshot == nil)
    }

    @Test("a pack is not an object")
    func packs() throws {
        let fixture = try Fixture()
        let pack = try #require(try fixture.repository.state().packs.first)
        #expect(try fixture.fault(pack.name.hex).0 == .missing)
    }

    @Test("the error for an ambiguous prefix lists the candidates with their kinds")
    func ambiguous() throws {
        let writer = testWriter()
        let repository = try Repository.create(in: MemoryBucket(), writer: writer)
        let transaction = try repository.begin(writer: writer)
        // Among a few hundred objects, two share four digits: the birthday paradox.
        var seen: [String: ObjectID] = [:]
        var pair: (ObjectID, ObjectID)?
        for number in 0..<2000 where pair == nil {
            let bytes = Array("object \(number)".utf8)
            let id = ObjectID(of: bytes.span)
            if let other = seen.updateValue(id, forKey: String(id.hex.prefix(4))) {
                pair = (other, id)
            }
            try transaction.objects.write(bytes, hint: .bulk)
        }
        _ = try transaction.commit([])
        let (first, second) = try #require(pair)
        let resolver = Resolver(
            repository, state: try repository.state(), now: writer.now())
        let error = refError { _ = try resolver.resolve(String(first.hex.prefix(4))) }
        #expect(error?.fault == .missing)
        for id in [first, second] { #expect(error?.message.contains(id.short) == true) }
        #expect(error?.message.contains("bytes") == true)
        #expect(try resolver.resolve(first.hex).target == .object(first))
    }

    @Test("a path finds an entry of the tree")
    func paths() throws {
        let fixture = try Fixture()
        let resolution = try fixture.resolver().resolve("models/a~1:sub/weights.bin")
        #expect(resolution.snapshot == fixture.values[1])
        #expect(resolution.ref?.text == "models/a")
        #expect(resolution.id == ObjectID(of: Array("two".utf8).span))
        guard case .entry(let entry) = resolution.target else {
            Issue.record("not an entry")
            return
        }
        #expect(entry.size == 3)
        #expect(try fixture.fault("models/a:sub//weights.bin").0 == .usage)
        #expect(try fixture.fault("models/a:/sub").0 == .usage)
    }

    @Test("a path finds a row of a table by its key")
    func rows() throws {
        let writer = testWriter()
        let repository = try Repository.create(in: MemoryBucket(), writer: writer)
        let transaction = try repository.begin(writer: writer)
        let table = try Table.build(
            rows: [TableRow(key: "https://example.org/a#0", attributes: JSONObject())],
            dimension: 0, in: transaction.objects)
        let snapshot = Snapshot(
            kind: .features, content: .table(table),
            producer: .init(pipeline: "test", version: "1"), created: writer.now())
        let id = try transaction.objects.write(snapshot.encoded, hint: .structured)
        _ = try transaction.commit([RefUpdate(try RefName("features/a"), new: id)])
        let resolver = Resolver(repository, state: try repository.state(), now: writer.now())
        let resolution = try resolver.resolve("features/a:https://example.org/a#0")
        #expect(resolution.target == .row(key: "https://example.org/a#0"))
        #expect(resolution.id == nil)
        #expect(
            refError { _ = try resolver.resolve("features/a:https://example.org/b") }?.fault
                == .missing)
    }

    @Test("a time in the future means the newest value, with a warning")
    func future() throws {
        let fixture = try Fixture()
        let resolution = try fixture.resolver().resolve("models/a@{2099-01-01}")
        #expect(resolution.target == .snapshot(fixture.values[2]))
        #expect(resolution.warnings.count == 1)
        #expect(try fixture.resolver().resolve("models/a@{now}").warnings.isEmpty)
    }

    @Test("a removed ref is gone, but its values can still be named")
    func removed() throws {
        let fixture = try Fixture()
        _ = try fixture.repository.begin(writer: fixture.writer).commit([
            RefUpdate(try RefName("models/a"), new: nil)
        ])
        #expect(try fixture.fault("models/a").0 == .missing)
        #expect(try fixture.fault("models/a@{now}").0 == .missing)
        #expect(try fixture.snapshot("models/a@{1}") == fixture.values[2])
        #expect(try fixture.snapshot("models/a@{3}") == fixture.values[0])
        #expect(try fixture.snapshot("models/a@{2 days ago}") == fixture.values[1])
    }

    @Test("the error for a name without a namespace suggests the ref")
    func suggestions() throws {
        let fixture = try Fixture()
        try fixture.repository.put("models/current", text: "x", writer: fixture.writer)
        let (fault, message) = try fixture.fault("current")
        #expect(fault == .usage)
        #expect(message.contains("did you mean models/current?"))
        #expect(try fixture.fault("models/curent").1.contains("did you mean models/current?"))
        #expect(try fixture.fault("features/current").1.contains("models/current"))
    }
}
