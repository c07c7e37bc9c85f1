import Foundation
import TestSupport
import Testing

/// Rows of hostile input that need a real process; `docs/hostile-input.md` lists the test of every row.
@Suite("Hostile files, owners and outputs")
struct HostileFilesTests {
    /// Set-up commands for a sandbox with the file `x`, the arguments, the exit code, and a part of the error.
    static let cases: [(String, [String], Int32, String)] = [
        ("true", ["put", "models/a"], 64, "<path>"),
        ("true", ["put", "models/a", "missing"], 74, "missing"),
        ("mkfifo p", ["put", "models/a", "p"], 64, "pipe"),
        ("ln -s l l", ["put", "models/a", "l", "--follow"], 64, "circle"),
        ("ln -s x l", ["put", "models/a", "l"], 64, "--follow"),
        ("printf a > $'b\\nc'", ["put", "models/a", "b\nc"], 64, "\\x0a"),
        (
            "head -c 70000 /dev/zero | tr '\\0' a > m", ["put", "models/a", "x", "-m", long], 64,
            "65536"
        ),
        ("true", ["put", "models/a", "x", "--metric", "a=nan"], 64, "finite"),
        (
            "printf '{\"id\":\"a\"}\\n[1]\\n' > r", ["put", "features/a", "r", "--key", "id"], 64,
            "line 2"
        ),
        (
            "printf '{\"id\":\"a\"}\\n{\"id\":\"a\"}' > r",
            ["put", "features/a", "r", "--key", "id"], 64, "line 1"
        ),
        ("printf '{\"id\":\"\"}' > r", ["put", "features/a", "r", "--key", "id"], 64, "empty"),
        ("printf '{\"x\":1}' > r", ["put", "features/a", "r", "--key", "id"], 64, "missing"),
        (
            "printf '{\"id\":\"a\",\"v\":[1,NaN]}' > r",
            ["put", "features/a", "r", "--key", "id", "--vector", "v"], 64, "line 1"
        ),
    ]

    private static let long = String(repeating: "a", count: 70_000)

    @Test(
        "input that cannot be stored is refused with one line, and nothing changes (B71, B72, B84, B85, B97 to B104, B144)",
        arguments: cases)
    func refused(setUp: String, arguments: [String], status: Int32, says: String) throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("x", "x")
        #expect(try sandbox.shell(setUp).status == 0)
        let outcome = try sandbox.ftictl(arguments)
        #expect(outcome.status == status, "\(outcome.error)")
        #expect(outcome.error.contains(says), "\(outcome.error)")
        #expect(outcome.output.isEmpty)
        #expect(try sandbox.ftictl("stats", "--json").object()["transactions"] as? Int == 1)
    }

    @Test("lines with any ending and an empty file are stored (B105, B142)")
    func accepted() throws {
        let sandbox = try Sandbox.withRepository()
        _ = try sandbox.shell(
            "printf '\\n{\"id\":\"a\"}\\r\\n\\r\\n{\"id\":\"b\"}' > r; : > empty")
        #expect(try sandbox.ftictl("put", "features/a", "r", "--key", "id").status == 0)
        #expect(try sandbox.ftictl("put", "models/a", "empty").status == 0)
    }

    @Test("a failing output does not hide that the transaction was made (B109)")
    func outputAfterTransaction() throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("x", "x")
        let full = try sandbox.shell("$FTICTL put models/a x > /dev/full")
        #expect(full.status == 0)
        #expect(full.error.contains("transaction 1 is committed"))
        let closed = try sandbox.shell("$FTICTL put models/b x >&-")
        #expect(closed.status == 0)
        #expect(closed.error.isEmpty)
        // No file that a command opens may take the number of a closed stream and be overwritten.
        #expect(try sandbox.shell("$FTICTL put models/c x <&- >&- 2>&-").status == 0)
        #expect(try sandbox.ftictl("verify", "--full").status == 0)
        #expect(try sandbox.ftictl("stats", "--json").object()["transactions"] as? Int == 4)
    }

    @Test(
        "a repository of another user is refused unless the user lists it (B110)",
        .enabled(if: geteuid() == 0))
    func otherOwner() throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("x", "x")
        _ = try sandbox.ftictl("put", "models/a", "x")
        // The executables may be where only their owner can reach them.
        let script =
            "cp $FTICTL ./tool; chmod -R a+rX .; mkdir -p home/fti; chown -R 65534 home; "
            + "as() { XDG_CONFIG_HOME=$PWD/home HOME=$PWD/home setpriv --reuid=65534 --regid=65534 "
            + "--clear-groups ./tool \"$@\"; }; "
        let refused = try sandbox.shell(script + "as refs")
        #expect(refused.status == 4, "\(refused.error)")
        #expect(refused.error.contains("home/fti/places"))
        let list = "realpath .fti > home/fti/places; "
        let writable = try sandbox.shell(script + list + "chmod 666 home/fti/places; as refs")
        #expect(writable.status == 4)
        let listed = try sandbox.shell(script + list + "chmod 644 home/fti/places; as refs")
        #expect(listed.status == 0, "\(listed.error)")
        #expect(listed.output.contains("models/a"))
    }
}
