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
            "use 'sk-proj-" + String(repeating: "x", count: 40) + "'",
        ])
    func found(_ text: String) { #expect(Secrets.find(in: text) != nil) }

    @Test(
        "what people say is not",
        arguments: [
            "", "first try", "AKIA is how they begin", "sk-learn 1.5 and hf_transfer", "-----BEGIN",
            String(repeating: "a", count: 64), "risk-" + String(repeating: "a", count: 50),
        ])
    func harmless(_ text: String) { #expect(Secrets.find(in: text) == nil) }

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

    @Test("a text that is shown has no query of a URL either (B114)")
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
        "a message with a secret key is refused before anything is stored, one with a URL is cleaned"
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
