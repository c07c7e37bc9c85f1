import Foundation
import TestSupport
import Testing

@Suite("Secret keys on the command line")
struct SecretTests {
    let sandbox: Sandbox
    static let token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
    static let privateKey = "note -----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA"

    init() throws {
        sandbox = try Sandbox.withRepository()
        try sandbox.write("w", "weights")
        try sandbox.write("w2", "other weights")
    }

    @Test(
        "secret keys are refused wherever a command takes text, and never echoed",
        arguments: [
            ["-m", token], ["-m", privateKey], ["--param", "k=\(privateKey)"],
            ["--param", "\(token)=1"], ["--metric", "\(token)=1"], ["--metric", "a=\(token)"],
            ["--input", "\(token)=models/a"], ["--override", "as \(token)"],
        ])
    func refused(_ arguments: [String]) throws {
        #expect(try sandbox.ftictl("put", "models/a", "w").status == 0)
        let outcome = try sandbox.ftictl(["put", "models/a", "w2"] + arguments)
        #expect(outcome.status == 64)
        #expect(!outcome.error.contains("16C7e42F"))
        #expect(!outcome.error.contains("MIIE"))
        #expect(try sandbox.ftictl("refs", "--json").lines.count == 1)
        #expect(try sandbox.ftictl("log", "models/a").lines.filter { $0.contains("●") }.count == 1)
    }

    @Test("secret keys are refused as the writer's name, and in a new repository")
    func writer() throws {
        let author = ["FTI_AUTHOR": Self.token]
        let put = try sandbox.ftictl("put", "models/a", "w", environment: author)
        #expect(put.status == 64)
        #expect(!put.error.contains("16C7e42F"))
        let made = try sandbox.ftictl("init", "other", environment: author)
        #expect(made.status == 64)
        #expect(!FileManager.default.fileExists(atPath: sandbox.path("other/.fti")))
    }

    @Test("the key folder is created private, and used only while it is")
    func folder() throws {
        #expect(try sandbox.ftictl("key", "new", "ada").status == 0)
        let keys = "\(sandbox.cache)/config/fti/keys"
        func mode() throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: keys)[.posixPermissions] as? Int
        }
        #expect(try mode() == 0o700)
        for mode in [0o755, 0o770, 0o702, 0o740] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: keys)
            for command in [["key", "show", "ada"], ["key", "new", "bob"], ["policy", "init"]] {
                let outcome = try sandbox.ftictl(command)
                #expect(outcome.status == 4, "\(command)")
                #expect(outcome.error.contains("try: chmod 700 \(keys)"), "\(command)")
            }
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: keys)
        #expect(try sandbox.ftictl("policy", "init").status == 0)
    }

    @Test("thousands of arguments parse quickly and mean the same")
    func manyArguments() throws {
        let metrics = (0..<5000).flatMap { ["--metric", "m\($0)=\($0)"] }
        let put = try sandbox.ftictl(["put", "models/a", "w"] + metrics + ["-m", "many"])
        #expect(put.status == 0)
        let shown = try sandbox.ftictl("show", "models/a", "--json").object()
        #expect((shown["metrics"] as? [String: Any])?.count == 5000)
        let pairs = (0..<1000).flatMap { ["models/a", "models/r\($0)"] }
        #expect(try sandbox.ftictl(["promote"] + pairs).status == 0)
        #expect(try sandbox.ftictl("refs", "--json").lines.count == 1001)
        let odd = try sandbox.ftictl(["promote"] + pairs + ["models/a"])
        #expect(odd.status == 64)
        #expect(odd.error.contains("pairs of SRC and DST"))
    }
}
