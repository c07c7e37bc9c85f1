@testable internal import Objects
@testable internal import Refs
internal import Storage

extension FuzzTarget {
    private static let digits = String(repeating: "a", count: 64)

    /// Trees: an accepted one encodes to the same bytes, and no name escapes.
    static let trees = FuzzTarget(
        "trees",
        words: [
            "fti-tree 1\n", "f 0 ", "x 1 ", "d 9 ", digits, " .git\n", " ..\n", " a\n", " con\n",
            "\u{301}", "\u{200d}", "\u{202e}", "\u{17f}",
        ]
    ) { example in
        example.objects(beginningWith: "fti-tree 1\n", limit: 4096)
    } run: {
        input throws(FuzzFinding) in
        let bytes = Array(input)
        guard let tree = try? Tree(decoding: bytes) else { return }
        try FuzzFinding.unless(tree.encoded == bytes, "a tree has two encodings")
        var folded: Set<String> = []
        for entry in tree.entries {
            try check(entry.name)
            try FuzzFinding.unless(tree[entry.name] == entry, "an entry is not found")
            try FuzzFinding.unless(
                folded.insert(entry.name.folded).inserted, "two names differ only in case")
        }
    }

    private static func check(_ name: FileName) throws(FuzzFinding) {
        let bytes = name.bytes
        try FuzzFinding.unless(
            !bytes.isEmpty && bytes.count <= 255 && bytes != [0x2E] && bytes != [0x2E, 0x2E]
                && !bytes.contains { $0 < 0x20 || $0 == 0x2F || $0 == 0x5C || $0 == 0x3A },
            "\(bytes) is accepted as a name")
        try FuzzFinding.unless(
            !name.description.lowercased().utf8.elementsEqual(".git".utf8), "a hidden folder")
    }

    /// Names of files, and paths of them.
    static let names = FuzzTarget(
        "names", longestInput: 512,
        words: ["..", "/", ".git", ".fti", "git~1", "con", "com\u{b9}", "\u{301}", "\u{fb01}"]
    ) { _ in
        ["a/b", "README.md", "caf\u{e9}", ".gitignore", "con.txt", "\u{130}", "\u{17f}.txt"].map {
            Array($0.utf8)
        }
    } run: { input throws(FuzzFinding) in
        let bytes = Array(input)
        if let name = try? FileName(bytes) {
            try check(name)
            _ = name.folded
            try FuzzFinding.unless(
                name.isFolded ? name.folded.utf8.elementsEqual(bytes) : true, "a folding differs")
        }
        guard let text = String(validating: bytes, as: UTF8.self),
            let path = try? RelativePath(text)
        else { return }
        try FuzzFinding.unless(path.bytes == bytes, "a path has two spellings")
        for name in path.names { try check(name) }
    }

    /// Snapshots: an accepted one encodes to the same bytes.
    static let snapshots = FuzzTarget(
        "snapshots",
        words: [
            "\"type\":\"snapshot\"", "\"kind\":\"model\"", "\"content\":{", "\"parents\":[",
            "\"inputs\":{", "\"metrics\":{", "\"space\":", "\"cursor\":", "1e21", "-0",
            "9007199254740992", "\\ud800", "2026-08-01T09:30:00.000Z", digits,
        ]
    ) { example in
        example.objects(beginningWith: "{", limit: 4096)
    } run: {
        input throws(FuzzFinding) in
        let bytes = Array(input)
        guard let snapshot = try? Snapshot(decoding: bytes) else { return }
        try FuzzFinding.unless(snapshot.encoded == bytes, "a snapshot has two encodings")
        _ = snapshot.links
    }

    /// JSON: a value survives a round trip and has one canonical form.
    static let json = FuzzTarget(
        "json",
        words: [
            "\\u0000", "\\ud83d\\ude00", "1e400", "5e-324", "1.7976931348623157e308", "0.1e-6",
            "9007199254740993", "-0.0", "[[[[[[[[", "{\"\":", "true", "false", "null",
            "\u{e000}", "\u{1f600}", "\u{fffd}",
        ]
    ) { example in
        try example.objects(beginningWith: "{", limit: 4096) + example.log().map(\.bytes)
    } run: { input throws(FuzzFinding) in
        guard let json = try? JSON(parsing: input) else { return }
        let canonical = json.canonicalBytes
        guard let again = try? JSON(canonical: canonical), again == json else {
            throw FuzzFinding("JSON does not survive a round trip")
        }
    }

    /// Lock files: an accepted one survives a round trip.
    static let locks = FuzzTarget(
        "locks",
        words: ["\"fti-lock\":1", "\"pins\":[", "\"repository\":\"", "\"transaction\":", digits]
    ) { _ in
        guard let id = ObjectID(hex: digits),
            let repository = RandomBits(hex: String(digits.prefix(32)))
        else { return [] }
        let pin = LockFile.Pin(revision: "models/current~2", id: id, kind: .model)
        return [LockFile(repository: repository, transaction: 7, pins: [pin, pin]).encoded]
    } run: { input throws(FuzzFinding) in
        guard let file = try? LockFile(decoding: Array(input), edited: true) else { return }
        guard let again = try? LockFile(decoding: file.encoded), again == file else {
            throw FuzzFinding("a lock file does not survive a round trip")
        }
    }

    /// Revisions, ref names and times: accepted ones survive a round trip.
    static let revisions = FuzzTarget(
        "revisions", longestInput: 512,
        words: [
            "models/", "features/", "datasets/", "releases/", "@{", "}", "~1", "^dataset", ":",
            "yesterday", "3 days ago", "2026-08-01", "T09:30", ".lock", digits,
            "9007199254740991",
        ]
    ) { _ in
        [
            "models/current~2", "features/prod@{yesterday}", "3fa9c1", digits, "models/a@{3}",
            "models/current^dataset:config.json", "models/a@{2026-08-01T09:30:00.250Z}~3^base",
            "models/a@{3 days ago}:x/y", "datasets/a-b.c_d/e@{now}",
        ].map { Array($0.utf8) }
    } run: { input throws(FuzzFinding) in
        let bytes = Array(input)
        if let name = try? RefName(utf8: bytes) {
            try FuzzFinding.unless(
                name.text.utf8.elementsEqual(bytes) && name.components.count > 1,
                "the name of a ref has two spellings")
        }
        let revision: Revision
        do throws(RefError) { revision = try Revision(utf8: bytes) } catch {
            _ = error.message
            _ = error.remedy
            return
        }
        guard let again = try? Revision(revision.description), again == revision else {
            throw FuzzFinding("\(revision) does not read back")
        }
        guard case .time(let time)? = revision.selector else { return }
        for now in [Timestamp(milliseconds: 0), Timestamp(milliseconds: 253_402_300_799_999)] {
            if let now { _ = time.resolved(now: now) }
        }
    }
}
