import Foundation
import Objects
import Refs
import TestSupport
import Testing

/// What `status` and `pin --leases` show of the replicas that serve a repository.
@Suite("The replicas of a fleet")
struct FleetTests {
    private let sandbox: Sandbox
    private let repository: Repository
    private let old: ObjectID
    private let new: ObjectID

    init() throws {
        sandbox = try Sandbox.withRepository()
        repository = try Repository(opening: sandbox.path(".fti"))
        try sandbox.write("model", "model")
        #expect(try sandbox.ftictl("put", "models/llm", "model").status == 0)
        var releases: [ObjectID] = []
        for text in ["one", "two"] {
            try sandbox.write("rows.jsonl", #"{"id":"x","text":"\#(text)"}"#)
            #expect(
                try sandbox.ftictl("put", "features/a", "rows.jsonl", "--key", "id").status == 0)
            let released = try sandbox.ftictl(
                "release", "releases/prod", "--features", "features/a", "--generator",
                "models/llm", "--json")
            let id = try released.object()["id"] as? String
            releases.append(try #require(id.flatMap { ObjectID(hex: $0) }))
        }
        (old, new) = (releases[0], releases[1])
    }

    /// Writes the lease of a replica as the replica would.
    @discardableResult
    private func serve(
        _ name: String, _ release: ObjectID, follows: String = "releases/prod",
        draining: [ObjectID] = [], parked: ServedState.Parked? = nil, seconds: Int = 600
    ) throws -> Lease {
        let replica = try #require(
            Replica(name: name, follows: follows, address: "10.0.0.7:8080"))
        let lease = Lease(
            name: RandomBits { UInt64.random(in: .min ... .max) }, purpose: "fti-inference",
            snapshots: [release] + draining, seconds: seconds,
            serving: ServedState(
                replica: replica, snapshots: ["release": release], transaction: 3,
                since: Writer.systemClock(), draining: draining, parked: parked))
        try repository.take(lease)
        return lease
    }

    private func serving() throws -> [[String: Any]] {
        let status = try sandbox.ftictl("status", "--json")
        #expect(status.status == 0, "\(status.error)")
        return try #require(try status.object()["serving"] as? [[String: Any]])
    }

    @Test("replicas are counted by version; those behind and what they parked are named")
    func spread() throws {
        #expect(try serving().isEmpty)
        let reason = "the features are broken"
        try serve("web-1", new, draining: [old])
        try serve("web-2", new)
        try serve(
            "web-3", old,
            parked: .init(
                snapshots: ["release": new], reason: reason, since: Writer.systemClock()))
        try serve("canary-1", old, follows: "releases/prod~1")
        try serve("pinned-1", old, follows: "prod.lock")
        let fleets = try serving()
        #expect(
            fleets.map { $0["follows"] as? String }
                == ["prod.lock", "releases/prod", "releases/prod~1"])
        let prod = fleets[1]
        #expect(prod["current"] as? [String] == [new.hex])
        let versions = try #require(prod["versions"] as? [[String: Any]])
        #expect(versions.map { $0["current"] as? Bool } == [true, false])
        func replicas(_ index: Int) throws -> [[String: Any]] {
            try #require(versions[index]["replicas"] as? [[String: Any]])
        }
        #expect(try replicas(0).map { $0["replica"] as? String } == ["web-1", "web-2"])
        #expect(try replicas(0)[0]["draining"] as? [String] == [old.hex])
        #expect(try replicas(1)[0]["address"] as? String == "10.0.0.7:8080")
        let parked = try replicas(1)[0]["parked"] as? [String: Any]
        #expect(parked?["reason"] as? String == reason)
        #expect((parked?["snapshots"] as? [String: String])?["release"] == new.hex)
        #expect(fleets[0]["current"] is NSNull)
        #expect((fleets[2]["versions"] as? [[String: Any]])?[0]["current"] as? Bool == true)
        let text = try sandbox.ftictl("status").output
        #expect(text.contains("releases/prod  served by 3 replicas"))
        #expect(text.contains("2 replicas current: web-1, web-2"))
        #expect(text.contains("1 replica behind") && text.contains("web-3 parked \(new.short)"))
        #expect(text.contains(reason) && text.contains("web-1 still drains \(old.short)"))
        #expect(text.contains("1 replica pinned: pinned-1"))
        let leases = try sandbox.ftictl("pin", "--leases")
        #expect(leases.output.contains("web-3 serves releases/prod"))
        let listed = try sandbox.ftictl("pin", "--leases", "--json").objects()
        #expect(listed.allSatisfy { $0["serving"] is [String: Any] })
    }

    @Test("a replica vanishes with its lease")
    func expiry() throws {
        let lease = try serve("web-1", new)
        try serve("web-2", new, seconds: 1)
        let deadline = ContinuousClock.now + .seconds(60)
        while try sandbox.ftictl("status").output.contains("web-2"), .now < deadline {
            usleep(200_000)
        }
        let output = try sandbox.ftictl("status").output
        #expect(output.contains("web-1") && !output.contains("web-2"))
        try repository.release(lease.name)
        #expect(try serving().isEmpty)
    }

    @Test("leases of pins, and texts that a terminal would interpret, do no harm")
    func others() throws {
        #expect(try sandbox.ftictl("pin", "releases/prod").status == 0)
        #expect(try serving().isEmpty)
        let leases = try sandbox.ftictl("pin", "--leases", "--json").objects()
        #expect(leases.allSatisfy { $0["serving"] is NSNull })
        try serve(
            "web-1", old, follows: "releases/none models/@{",
            parked: .init(
                snapshots: [:], reason: "\u{1B}[2J\u{202E}gone", since: Writer.systemClock()))
        let output = try sandbox.ftictl("status").output
        #expect(output.contains("web-1") && !output.contains("\u{1B}"))
        #expect(!output.contains("\u{202E}"))
    }
}
