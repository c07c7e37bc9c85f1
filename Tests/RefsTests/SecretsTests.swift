import Objects
import Refs
import Storage
import Testing

@Suite("Secrets stay out of the log")
struct SecretsTests {
    @Test(
        "what looks like a secret key is found",
        arguments: [
            "AKIAIOSFODNN7EXAMPLE", "key=ghp_" + String(repeating: "a", count: 36),
            "hf_" + String(repeating: "B", count: 34), "x\n-----BEGIN RSA PRIVATE KEY-----\ny",
            "use 'sk-proj-" + String(repeating: "x1", count: 20) + "'",
            "gho_16C7e42F292c6912E7710c838347Ae178B4a", "ghs_16C7e42F292c6912E7710c838347Ae178B4a",
            "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz0123456789",
            "glpat-abcdefghij0123456789", "xoxb-123456789012-1234567890123-abcdefghijkl",
            "AIzaSyA-abcdefghijklmnopqrstuvwxyz01234",
            "sk-abcdefghij0123456789abcdefghij0123456789",
            "sk-ant-api03-abcdefghij0123456789", "npm_abcdefghij0123456789abcdefghij012345",
            "pypi-AgEIcHlwaS5vcmcCJDAwMDAwMDAwLTAwMDAtMDAwMC0wMDAw",
            "sk_live_abcdefghij0123456789", "MY_ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "SecretAccessKey: \"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\"",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
            #"{"public":"00","secret":"\#(String(repeating: "0a", count: 32))","type":"fti-secret-key"}"#,
        ])
    func found(_ text: String) { #expect(Secrets.find(in: text) != nil) }

    @Test(
        "private keys of any kind and case are found, on one line or many, inside other text",
        arguments: [
            "RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY",
            "PRIVATE KEY", "PGP PRIVATE KEY BLOCK", "DSA PRIVATE KEY", "rsa private key",
            "SSH2 ENCRYPTED PRIVATE KEY",
        ])
    func privateKeys(_ label: String) {
        for text in [
            "-----BEGIN \(label)-----", "note -----BEGIN \(label)-----\nMIIEpAIBAAKCAQEA",
            "a\r\n\t-----BEGIN \(label)-----MIIE-----END \(label)----- b",
            "---- BEGIN \(label) ----", "MIIE\n-----END \(label)-----",
            "-----BEGIN \(label.replacing(" ", with: "\n"))",
        ] { #expect(Secrets.find(in: text) == "-----BEGIN", "\(text)") }
    }

    @Test(
        "ordinary text is not taken for a key",
        arguments: [
            "", "first try", "AKIA is how they begin", "sk-learn 1.5 and hf_transfer", "-----BEGIN",
            String(repeating: "a", count: 64), "risk-" + String(repeating: "a", count: 50),
            "-----BEGIN PUBLIC KEY-----", "-----BEGIN CERTIFICATE-----", "the key of models",
            "a private key -- begin with one", "123e4567-e89b-12d3-a456-426614174000",
            "sk-learn-gradient-boosting-classifier-with-calibration",
            "sk-ant-colony-optimisation-of-routes", "hf_transformers_tokenizers_and_datasets_v2",
            "npm_config_cache_directory_location_override", "AKIAIOSFODNN7EXAMPLEXYZ",
            "secret: no", "secretary=" + String(repeating: "a", count: 40),
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
        ])
    func harmless(_ text: String) { #expect(Secrets.find(in: text) == nil) }

    @Test(
        "texts in which any word could begin a key take linear time",
        arguments: ["eyJ-", "sk-ant-", "secret=", "--", "-----BEGIN ", "AKIA", "ghp_", "://"])
    func long(_ part: String) {
        // In quadratic time this would take hours.
        let text = String(repeating: part, count: 100_000)
        #expect(Secrets.find(in: text) == nil)
        #expect(Secrets.redacted(text).utf8.elementsEqual(text.utf8))
        let key = "-----BEGIN PRIVATE KEY-----"
        #expect(Secrets.redacted(key + text) == "-----BEGIN...")
    }

    @Test("no message shows the secret part of a key")
    func masked() {
        let token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
        let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"
        #expect(
            Secrets.redacted("no \(token) and \(token)!\nthen \(key) is it")
                == "no ghp_... and ghp_...!\nthen -----BEGIN... is it")
        #expect(Secrets.redacted("nothing here") == "nothing here")
    }

    @Test("a new snapshot with a secret key anywhere in it is refused before anything is stored")
    func snapshots() throws {
        let token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
        let changes: [(inout Snapshot) -> Void] = [
            { $0.message = "uses \(token)" }, { $0.params["token"] = .string(token) },
            { $0.params[token] = 1 },
            { $0.params["nested"] = ["list": [["deep": .string("x \(token)")]]] },
            { $0.params["aws_secret_access_key"] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" },
            { $0.metrics[token] = 1 }, { $0.inputs[token] = ObjectID(of: [1].span) },
            { $0.producer.revision = token },
        ]
        for (index, change) in changes.enumerated() {
            let bucket = MemoryBucket()
            let writer = testWriter()
            let repository = try Repository.create(in: bucket, writer: writer)
            let transaction = try repository.begin(writer: writer)
            let tree = try TreeBuilder().written(into: transaction.objects)
            var snapshot = Snapshot(
                kind: .model, content: tree, producer: .init(pipeline: "test", version: "1"),
                created: epoch)
            change(&snapshot)
            // An input that exists, so that only the role is wrong.
            let base = try transaction.objects.write(
                Snapshot(
                    kind: .model, content: tree, producer: .init(pipeline: "test", version: "1"),
                    created: epoch
                ).encoded, hint: .structured)
            snapshot.inputs = snapshot.inputs.mapValues { _ in base }
            let id = try transaction.objects.write(snapshot.encoded, hint: .structured)
            let error = refError {
                _ = try transaction.commit([RefUpdate(try RefName("models/a"), new: id)])
            }
            #expect(error?.fault == .usage, "change \(index)")
            #expect(error?.message.contains(token.dropFirst(6)) == false)
            #expect(try bucket.list(.packs).isEmpty)
        }
    }

    @Test("a secret key is refused as a writer, a ref or a reason")
    func entries() throws {
        let token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
        #expect(
            refError {
                _ = try Repository.create(in: MemoryBucket(), writer: testWriter(token))
            }?.fault
                == .usage)
        let writer = testWriter()
        let repository = try Repository.create(in: MemoryBucket(), writer: writer)
        #expect(
            refError { try repository.put("models/a", text: "1", writer: testWriter(token)) }?.fault
                == .usage)
        #expect(
            refError {
                try repository.put("models/\(token)", text: "1", writer: writer)
            }?.fault == .usage)
        #expect(
            refError {
                try repository.setAccessPolicy(nil, message: token, writer: writer)
            }?.fault == .usage)
        try repository.put("models/a", text: "1", writer: writer)
        let state = try repository.state()
        let transaction = try repository.begin(on: state, writer: writer)
        #expect(
            refError {
                _ = try transaction.commit(
                    [
                        RefUpdate(
                            try RefName("models/b"), new: state.target(of: try RefName("models/a")))
                    ],
                    overriding: "because \(token)")
            }?.fault == .usage)
    }

    @Test("user names and passwords of URLs are left out")
    func credentials() {
        for (text, expected) in [
            ("https://u:p@host/x", "https://host/x"),
            (
                "from s3://key:se@cret@bucket/a and http://h/@b",
                "from s3://bucket/a and http://h/@b"
            ),
            ("ada@host", "ada@host"), ("://", "://"), ("http://é:ü@host", "http://host"),
        ] {
            #expect(Secrets.withoutCredentials(text).utf8.elementsEqual(expected.utf8))
        }
    }

    @Test("displayed text has no URL query either (B114)")
    func redacted() {
        for (text, expected) in [
            ("at https://u:p@host/x?key=secret, twice", "at https://host/x?..."),
            ("(http://h/?a=b) and https://h/x", "(http://h/?...) and https://h/x"),
            ("what? s3://b/k?t \"http://h?k\"", "what? s3://b/k?... \"http://h?...\""),
            ("no://", "no://"), ("a ? b", "a ? b"),
        ] {
            let shown = Secrets.redacted(text)
            #expect(
                shown.utf8.elementsEqual(expected.utf8)
                    || shown.utf8.elementsEqual("\(expected) twice".utf8), "\(shown)")
        }
    }

    @Test(
        "a message with a secret key is refused before anything is stored; credentials in URLs are removed"
    )
    func messages() throws {
        let bucket = MemoryBucket()
        let writer = testWriter()
        let repository = try Repository.create(in: bucket, writer: writer)
        let error = refError {
            try repository.put(
                "models/a", text: "1", message: "AKIAIOSFODNN7EXAMPLE", writer: writer)
        }
        #expect(error?.fault == .usage)
        #expect(error?.message.contains("AKIAIOSF") == false)
        #expect(try bucket.list(.packs).isEmpty)
        try repository.put(
            "models/a", text: "1", message: "of https://u:p@host/x", writer: writer)
        #expect(try repository.log.entry(1).message == "of https://host/x")
    }
}

extension TreeBuilder {
    fileprivate func written(into objects: ObjectWriter) throws -> Content {
        try write(into: objects).content
    }
}
