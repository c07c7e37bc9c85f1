import Foundation
import TestSupport
import Testing

@Suite("Keys and policies on the command line")
struct PolicyCommandTests {
    let sandbox: Sandbox

    init() throws {
        sandbox = try Sandbox()
        _ = try sandbox.ftictl("init")
        try sandbox.write("w", "weights")
        try sandbox.write("r.jsonl", #"{"id":"a","text":"x"}"#)
    }

    private func publicKey(_ name: String) throws -> String {
        let lines = try sandbox.ftictl("key", "list", "--json").output.split(separator: "\n")
        for line in lines {
            let object =
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            if object?["name"] as? String == name { return object?["public"] as? String ?? "" }
        }
        return ""
    }

    @Test(
        "three commands set up a key, a policy and a grant, and then each key writes where it may")
    func firstMinutes() throws {
        #expect(try sandbox.ftictl("policy", "init").status == 4)
        #expect(try sandbox.ftictl("key", "new", "ada").status == 0)
        #expect(try sandbox.ftictl("policy", "init").status == 0)
        #expect(try sandbox.ftictl("key", "new", "feature-bot").status == 0)
        let key = try publicKey("feature-bot")
        let granted = try sandbox.ftictl("key", "grant", "feature-bot", key, "--write", "features")
        #expect(granted.status == 0)
        #expect(granted.output.contains("+ key feature-bot"))

        let bot = ["FTI_KEY": "feature-bot"]
        let put = try sandbox.ftictl(
            "put", "features/a", "r.jsonl", "--key", "id", environment: bot)
        #expect(put.status == 0)
        let refused = try sandbox.ftictl("put", "models/a", "w", environment: bot)
        #expect(refused.status == 4)
        #expect(refused.error.contains("may not move models/a"))
        #expect(refused.error.contains("try: ask an admin to run: ftictl key grant feature-bot"))
        #expect(try sandbox.ftictl("put", "models/a", "w").status == 0)
        #expect(try sandbox.ftictl("log").output.contains("signed by feature-bot"))
        #expect(try sandbox.ftictl("verify").status == 0)

        #expect(try sandbox.ftictl("key", "revoke", "feature-bot").status == 0)
        let revoked = try sandbox.ftictl(
            "put", "features/a", "r.jsonl", "--key", "id", "-m", "x", environment: bot)
        #expect(revoked.status == 4)
        #expect(try sandbox.ftictl("verify").status == 0)
    }

    @Test("a transaction is attributed only to the key that signed it")
    func otherSigner() throws {
        _ = try sandbox.ftictl("key", "new", "ada")
        _ = try sandbox.ftictl("policy", "init")
        for message in ["a", "b", "c"] {
            _ = try sandbox.ftictl("put", "models/a", "w", "-m", message)
        }
        #expect(try sandbox.ftictl("reflog").output.contains("signed by ada"))
        let key = try publicKey("ada")
        let other = (key.hasPrefix("0") ? "1" : "0") + key.dropFirst()
        _ = try sandbox.shell(
            "chmod 644 .fti/log/*2.json && sed -i '2s/\(key)/\(other)/' .fti/log/*2.json")
        for command in ["reflog", "log"] {
            let told = try sandbox.ftictl(command, "--json")
            #expect(told.status == 5)
            #expect(!told.output.contains(other))
        }
        #expect(try sandbox.ftictl("verify").status == 1)
    }

    @Test("nothing is written without a key, or with one that others can read")
    func keyFiles() throws {
        _ = try sandbox.ftictl("key", "new", "ada")
        _ = try sandbox.ftictl("policy", "init")
        let empty = ["XDG_CONFIG_HOME": "\(sandbox.cache)/nobody"]
        let none = try sandbox.ftictl("put", "models/a", "w", environment: empty)
        #expect(none.status == 4)
        #expect(none.error.contains("ftictl key new"))
        let file = "\(sandbox.cache)/config/fti/keys/ada.key"
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
        let exposed = try sandbox.ftictl("put", "models/a", "w")
        #expect(exposed.status == 4)
        #expect(exposed.error.contains("chmod 600"))
        let secret = try String(contentsOfFile: file, encoding: .utf8)
        let seed = try #require(secret.firstMatch(of: /"secret":"([0-9a-f]{64})"/)?.1)
        #expect(!exposed.error.contains(seed))
        #expect(try sandbox.ftictl("key", "new", "ada").status == 64)
    }

    @Test("a move that needs an approval waits for it and uses it up")
    func approvals() throws {
        _ = try sandbox.ftictl("key", "new", "ada")
        _ = try sandbox.ftictl("policy", "init")
        _ = try sandbox.ftictl("put", "models/a", "w")
        let shown = try sandbox.ftictl("policy", "show").output
        try sandbox.write(
            "policy.json",
            shown.replacing(
                "\"gates\":[",
                with: #""gates":[{"ref":"models/current","type":"approvals","count":1}"#))
        #expect(try sandbox.ftictl("policy", "set", "policy.json").status == 0)
        let early = try sandbox.ftictl("promote", "models/a", "models/current")
        #expect(early.status == 4)
        #expect(early.error.contains("ftictl approve models/current"))
        #expect(try sandbox.ftictl("approve", "models/current", "models/a").status == 0)
        #expect(try sandbox.ftictl("promote", "models/a", "models/current").status == 0)
        #expect(try sandbox.ftictl("reflog").output.contains("approved models/current"))
        let needless = try sandbox.ftictl("approve", "models/current", "models/a")
        #expect(needless.status == 4)
        #expect(needless.error.contains("nothing to approve"))
        #expect(!(try sandbox.ftictl("reflog", "-n", "1").output.contains("approved")))
        #expect(
            try sandbox.ftictl("approve", "models/current", "models/a", "--expires", "soon").status
                == 64)
    }

    @Test("a restored old copy is refused until it is accepted")
    func rollback() throws {
        _ = try sandbox.ftictl("put", "models/a", "w")
        #expect(try sandbox.shell("cp -r .fti old").status == 0)
        try sandbox.write("w", "other")
        #expect(try sandbox.ftictl("put", "models/a", "w").status == 0)
        #expect(try sandbox.shell("rm -rf .fti && mv old .fti").status == 0)
        let refused = try sandbox.ftictl("resolve", "models/a")
        #expect(refused.status == 5)
        #expect(refused.error.contains("this client has seen transaction 2, the log now ends at 1"))
        #expect(try sandbox.ftictl("resolve", "models/a", "--accept-rollback").status == 0)
        #expect(try sandbox.ftictl("resolve", "models/a").status == 0)
        // A repository that is created again is unrelated to the old one.
        #expect(try sandbox.shell("rm -rf .fti && $FTICTL init && $FTICTL refs").status == 0)
    }

    @Test("FTI_TRUST accepts only a repository whose policy began with that key")
    func roots() throws {
        _ = try sandbox.ftictl("key", "new", "ada")
        let key = try publicKey("ada")
        #expect(try sandbox.ftictl("refs", environment: ["FTI_TRUST": key]).status == 5)
        _ = try sandbox.ftictl("policy", "init")
        #expect(try sandbox.ftictl("refs", environment: ["FTI_TRUST": key]).status == 0)
        _ = try sandbox.ftictl("key", "new", "eve")
        let other = try publicKey("eve")
        #expect(try sandbox.ftictl("refs", environment: ["FTI_TRUST": other]).status == 5)
        #expect(try sandbox.ftictl("refs", environment: ["FTI_TRUST": "ada"]).status == 64)
    }
}
