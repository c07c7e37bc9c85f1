import Foundation
import TestSupport
import Testing

/// A fake embedding service in a separate process, and a project that is configured for it.
private final class ServiceBench {
    let bench: Workbench
    private let folder: URL
    private let server = Process()

    /// - Parameter isSecure: Whether it speaks TLS, with an untrusted certificate.
    init(configuration: String = "", isSecure: Bool = false) throws {
        bench = try Workbench()
        folder = bench.directory.appending(path: "service")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try behave("good")
        if isSecure {
            let made = try bench.run(
                """
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \\
                -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem && \\
                cat key.pem cert.pem > service/both.pem
                """)
            #expect(made.status == 0, "\(made.error)")
        }
        server.executableURL = URL(filePath: "/usr/bin/env")
        server.arguments = [
            "python3",
            Project.root.appending(path: "Tests/ExampleTests/embedding_service.py").path,
            folder.path,
        ]
        if isSecure { server.arguments?.append(folder.appending(path: "both.pem").path) }
        try server.run()
        var port: String?
        for _ in 0..<2000 where port == nil {
            port = try? String(contentsOf: folder.appending(path: "port"), encoding: .utf8)
            if port == nil { usleep(10_000) }
        }
        let number = try #require(port)
        try write(
            "features.yaml",
            """
            ref: features/prod
            sources: [{files: Examples/handbook/edition-1/install}]
            embed: {url: "\(isSecure ? "https" : "http")://ada:pass-word@127.0.0.1:\(number)/v1?token=query-secret", model: tiny, dimension: 64\(configuration)}
            """)
        try write(
            "training.yaml",
            "features: features/prod\nmodel: models/current\nretrieval: {candidates: 50}\nsft: {epochs: 5}\ndpo: {epochs: 1}\n"
        )
        try write("url", "http://127.0.0.1:\(number)/v1/embeddings")
        #expect(try bench.run("ftictl init").status == 0)
    }

    deinit {
        // Not SIGTERM: a child inherits the blocked signals of the tests.
        kill(server.processIdentifier, SIGKILL)
        server.waitUntilExit()
    }

    func behave(_ mode: String) throws { try write("service/mode", mode) }

    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: bench.directory.appending(path: name), options: .atomic)
    }

    func run(_ line: String) throws -> Outcome { try bench.run(line) }

    /// Runs a line that has the service in its environment.
    func asking(_ line: String) throws -> Outcome {
        try bench.run("export FTI_EMBED_URL=$(cat url); \(line)")
    }

    var requests: String {
        (try? String(contentsOf: folder.appending(path: "requests"), encoding: .utf8)) ?? ""
    }

    static let ask = "fti-inference ask 'What size holes do I drill in brick?'"
}

@Suite("Embedders behind a service")
struct EmbeddingServiceTests {
    @Test("features, a model and answers come from a service; nothing secret is stored or printed")
    func works() throws {
        let bench = try ServiceBench()
        try bench.behave("busy")
        let run = try bench.run("fti-feature run features.yaml")
        #expect(run.status == 0, "\(run.error)")
        try bench.behave("noisy")
        let again = try bench.run("fti-feature run features.yaml --json")
        #expect(again.output.contains("\"transaction\":null"), "\(again.output)\(again.error)")
        let training = try bench.asking("fti-training run training.yaml")
        #expect(training.status == 0, "\(training.error)")
        let reply = try bench.asking("\(ServiceBench.ask) --json")
        #expect(reply.status == 0, "\(reply.error)")
        #expect(reply.output.contains("drilling-template"))
        let shown = try bench.run(
            "ftictl show features/prod --json; ftictl cat features/prod; ftictl log --json")
        #expect(shown.output.contains("127.0.0.1"))
        for secret in ["pass-word", "query-secret"] {
            #expect(!(shown.output + run.output + run.error).contains(secret))
        }
        let without = try bench.run(ServiceBench.ask)
        #expect(without.status == 4)
        #expect(without.error.contains("FTI_EMBED_URL"))
    }

    @Test(
        "a malformed address, or one of another scheme, is refused before any request (B111, B113, B115)",
        arguments: [
            "file:///etc/passwd", "https:///host", "https://", "gopher://host/", "//host",
            "http://host/\\r\\nX-Header: 1", "http://host/\\0", "http://host:99999/",
            "http://ho st/",
            "http://h\u{f6}st/", "http://host/#part", "http://[::1/", "http://host\\\\@other/",
        ])
    func addresses(address: String) throws {
        let bench = try Workbench()
        let text = """
            ref: features/prod
            sources: [{files: Examples/handbook/edition-1/install}]
            embed: {url: "\(address)", model: tiny, dimension: 64}
            """
        try Data(text.utf8).write(to: bench.directory.appending(path: "f.yaml"))
        let outcome = try bench.run("ftictl init --quiet && fti-feature run f.yaml")
        #expect(outcome.status == 64, "\(outcome.error)")
        #expect(outcome.error.split(separator: "\n").count <= 2, "\(outcome.error)")
    }

    @Test(
        "a service with an untrusted certificate gets no request (B119)",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")))
    func certificate() throws {
        let bench = try ServiceBench(isSecure: true)
        let outcome = try bench.run("fti-feature run features.yaml")
        #expect(outcome.status == 74, "\(outcome.error)")
        #expect(outcome.error.contains("certificate"), "\(outcome.error)")
        #expect(bench.requests.isEmpty)
    }

    @Test("no message repeats a password, wherever it stands in a configuration (B114)")
    func configurations() throws {
        let bench = try ServiceBench()
        for line in [
            "embed: {url: \"http://ada:pass-word@\", model: tiny, dimension: 64}",
            "embed: {url: \"http://ada:pass-word@host/v1?key=query-secret\", model: [tiny",
            "embed: {url: http://ada:pass-word@host/v1?key=query-secret, model: tiny, dimension: x}",
        ] {
            try bench.write("wrong.yaml", "ref: features/prod\nsources: [{files: .}]\n\(line)\n")
            for json in ["", " --json"] {
                let outcome = try bench.run("fti-feature run wrong.yaml\(json)")
                #expect(outcome.status == 64, "\(outcome.error)")
                #expect(!outcome.error.contains("pass-word") && !outcome.error.contains("query-"))
            }
        }
    }

    @Test("a service that silently changed is caught by its canaries wherever it is used")
    func drift() throws {
        let bench = try ServiceBench()
        #expect(try bench.run("fti-feature run features.yaml").status == 0)
        #expect(try bench.asking("fti-training run training.yaml").status == 0)
        try bench.behave("changed")
        let run = try bench.run("fti-feature run features.yaml")
        #expect(run.status == 4)
        #expect(run.error.contains("canaries"))
        for line in ["fti-training run training.yaml", ServiceBench.ask] {
            let outcome = try bench.asking(line)
            #expect(outcome.status == 4, "\(line)")
            #expect(outcome.error.contains("canary"), "\(outcome.error)")
        }
        let unforced = try bench.run("fti-feature run features.yaml --rebuild")
        // The current model needs the previous space: the default gate keeps the two together.
        #expect(unforced.status == 4, "\(unforced.error)")
        try bench.behave("good")
        #expect(try bench.asking(ServiceBench.ask).status == 0)
        let model = try bench.run(
            "sed -i s/tiny/mini/ features.yaml; fti-feature run features.yaml")
        #expect(model.status == 4)
        #expect(model.error.contains("version tiny, not mini"), "\(model.error)")
    }

    @Test(
        "every malformed answer of a service is the same kind of error, and nothing changes",
        arguments: [
            ("short", 74), ("text", 74), ("long", 74), ("redirect", 4), ("key", 74), ("echo", 74),
        ])
    func faults(mode: String, status: Int32) throws {
        let bench = try ServiceBench(configuration: ", key: TEST_KEY")
        try bench.behave(mode)
        let outcome = try bench.run("TEST_KEY=hush-hush fti-feature run features.yaml")
        #expect(outcome.status == status, "\(outcome.error)")
        #expect(!(outcome.output + outcome.error).contains("hush-hush"))
        for secret in ["pass-word", "query-", "YWRhOnBhc3Mtd29yZA", "hush"] {
            #expect(!(outcome.output + outcome.error).contains(secret), "\(outcome.error)")
        }
        #expect(try bench.run("ftictl refs").output.isEmpty)
        if mode == "key" {
            #expect(outcome.error.contains("***"))
            #expect(
                try bench.run("TEST_KEY=test-secret fti-feature run features.yaml").status == 0)
            #expect(bench.requests.contains("Bearer test-secret"))
            #expect(
                try bench.run("grep -r -e test-secret -e pass-word .fti").status == 1)
        }
    }

    @Test("a shorter dimension is requested only when the model's own is greater")
    func dimensions() throws {
        let bench = try ServiceBench()
        try bench.behave("strict")
        #expect(try bench.run("fti-feature run features.yaml").status == 0)
        #expect(!bench.requests.contains("dimensions"))
        let wide = try ServiceBench()
        try wide.behave("wide")
        let run = try wide.run("fti-feature run features.yaml")
        #expect(run.status == 0, "\(run.error)")
        #expect(wide.requests.contains("\"dimensions\""))
        #expect(try wide.asking("fti-training run training.yaml").status == 0)
        #expect(try wide.asking(ServiceBench.ask).status == 0)
        let rigid = try ServiceBench()
        try rigid.behave("rigid")
        let refused = try rigid.run("fti-feature run features.yaml")
        #expect(refused.status == 74)
        #expect(refused.error.contains("set embed.dimension to 128"), "\(refused.error)")
    }

    @Test("headers come from environment variables, also when questions are embedded")
    func headers() throws {
        let bench = try ServiceBench(configuration: ", headers: {api-key: $AZURE}")
        let without = try bench.run("fti-feature run features.yaml")
        #expect(without.status == 64 && without.error.contains("AZURE"), "\(without.error)")
        let run = try bench.run("AZURE=hush-hush fti-feature run features.yaml")
        #expect(run.status == 0, "\(run.error)")
        #expect(bench.requests.contains("\"key\": \"hush-hush\""))
        #expect(try bench.run("grep -r hush .fti").status == 1)
        let trained = try bench.asking(
            "FTI_EMBED_HEADERS='api-key: other-key' fti-training run training.yaml")
        #expect(trained.status == 0, "\(trained.error)")
        #expect(bench.requests.contains("\"key\": \"other-key\""))
    }

    @Test(
        "the error text of a service is shown with a remedy, even under status 200",
        arguments: [
            ("say 2 422 {\"detail\":[{\"loc\":[\"body\"],\"msg\":\"WHY\"}]}", "embed.batch"),
            ("say 2 413 WHY", "chunk.size"), ("say 2 401 {\"error\":\"WHY\"}", "FTI_EMBED_KEY"),
            ("say 2 404 <title>WHY</title>", "embed.url"),
            ("say 2 200 {\"error\":{\"message\":\"WHY\"}}", "embed.url"),
        ])
    func reasons(mode: String, remedy: String) throws {
        let bench = try ServiceBench(configuration: ", batch: 4")
        try bench.behave(mode)
        let outcome = try bench.run("fti-feature run features.yaml")
        #expect(outcome.status == 74)
        #expect(outcome.error.contains("WHY") && outcome.error.contains(remedy), "\(outcome.error)")
    }

    @Test("after a kill, the next run does not embed the same texts again")
    func interrupted() throws {
        let bench = try ServiceBench(configuration: ", batch: 4")
        try bench.behave("stall 6")
        let killed = try bench.run(
            """
            fti-feature run features.yaml & run=$!
            for i in $(seq 600); do [ "$(wc -l < service/requests)" -ge 7 ] && break; sleep 0.05; done
            # Every answered request has to be in the cache: wait until the file stays as it is.
            same=0; last=
            for i in $(seq 600); do
                now=$(find "$XDG_CACHE_HOME" -name '*.vectors' -printf %s)
                [ "$now" = "$last" ] && same=$((same + 1)) || same=0
                [ $same -ge 60 ] && break
                last=$now; sleep 0.05
            done
            kill -9 $run; wait $run
            """)
        #expect(killed.status == 137, "\(killed.error)")
        #expect(try bench.run("ftictl refs").output.isEmpty)
        // Two requests for canaries, and four that were answered.
        try bench.behave("good")
        try bench.write("service/requests", "")
        let run = try bench.run("fti-feature run features.yaml --json")
        #expect(run.status == 0, "\(run.error)")
        let report = try #require(
            try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        let recovered = try #require(report["recovered"] as? Int)
        #expect(recovered == 16)
        let texts = try bench.requests.split(separator: "\n").map { line in
            try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }.compactMap { $0["texts"] as? Int }.reduce(0, +)
        let chunks = try #require(report["chunks"] as? Int)
        #expect(texts == 8 + chunks - recovered)
        #expect(
            try bench.run("find .. -path \"$XDG_CACHE_HOME*\" -name '*.vectors'").output.isEmpty)
    }
}

@Suite("Answers that follow")
struct FollowingTests {
    @Test("a loop answers from a release, follows it, and rejects what does not fit")
    func follows() throws {
        let bench = try Workbench()
        let outcome = try bench.run(
            """
            set -e
            ftictl init --quiet >&2
            cat > f.yaml <<< '{ref: features/prod, sources: [{files: Examples/handbook/edition-1/install}], embed: {dimension: 64}}'
            cat > t.yaml <<< '{model: models/current, retrieval: {candidates: 50}, sft: {epochs: 5}, dpo: {epochs: 1}}'
            fti-feature run f.yaml --quiet >&2; fti-training run t.yaml --quiet >&2
            ftictl release releases/prod --features features/prod --model models/current >&2
            mkfifo questions
            fti-inference ask --release releases/prod --stdin < questions > replies 2> notes & loop=$!
            exec 9> questions
            wait_for() { for i in $(seq 600); do [ "$(wc -l < replies)" -ge $1 ] && return; sleep 0.05; done; return 1; }
            echo 'What size holes do I drill in brick?' >&9; wait_for 1
            ls .fti/leases | wc -l > leases
            sed -i s/edition-1/edition-2/ f.yaml; fti-feature run f.yaml --quiet >&2
            ftictl release releases/prod --features features/prod --model models/current >&2
            echo '{"id": 7, "question": "What size holes do I drill in brick?"}' >&9; wait_for 2
            echo '?' >&9; wait_for 3
            exec 9>&-
            wait $loop
            ls .fti/leases | wc -l >> leases
            cat leases; cat replies
            """)
        #expect(outcome.status == 0, "\(outcome.error)")
        let lines = outcome.output.split(separator: "\n").map(String.init)
        try #require(lines.count == 5, "\(outcome.output)\(outcome.error)")
        #expect(lines[0].trimmingCharacters(in: .whitespaces) == "1")
        #expect(lines[1].trimmingCharacters(in: .whitespaces) == "0")
        let replies = try lines.dropFirst(2).map { line in
            try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
        #expect(replies[0]["release"] as? String != replies[1]["release"] as? String)
        #expect(replies[0]["features"] as? String != replies[1]["features"] as? String)
        #expect(replies[1]["id"] as? Int == 7)
        #expect(replies[2]["error"] as? String == "usage")
        #expect(try bench.run("cat notes").output.contains("switched"))
    }

    @Test("every line gets one line of answer, with the id of its request as spelled")
    func requests() throws {
        let bench = try Workbench()
        let question = "\"question\":\"What size holes do I drill in brick?\""
        let lines: [(line: String, id: String?, isAnswer: Bool)] = [
            ("What size holes do I drill in brick?", nil, true),
            ("{\(question)}", nil, true), ("  {\"id\":7,\(question)}  ", "7", true),
            ("{\"id\":9007199254740993,\(question)}", "9007199254740993", true),
            ("{\"id\":1.0,\(question)}", "1.0", true), ("{\"id\":null,\(question)}", "null", true),
            ("{\"id\":\"\\ud83d\",\(question)}", "\"\\ud83d\"", true),
            ("{\"id\":[1,{\"a\":2}],\(question)}", "[1,{\"a\":2}]", true),
            ("{\"id\":\"k\",\"id\":\"k\",\(question)}", "\"k\"", false),
            ("{\"id\":\"k\",\"id\":\"l\",\(question)}", nil, false),
            ("{\"question\":\"cut \\ud83d\",\"id\":\"s\"}", "\"s\"", false),
            ("{\(question),\"id\":3,}", "3", false), ("{\"id\":4,\"question\":5}", "4", false),
            ("{\"id\":5}", "5", false), ("{\"id\":6,\"question\":\"?\"}", "6", false),
            ("{\"id\":8,\(question)", "8", false), ("{", nil, false), ("{\"id\":", nil, false),
            ("{\"id\":01,\(question)}", nil, false),
            ("{\"x\":{\"id\":1},\"id\":2 \(question)}", "2", false), ("", nil, false),
            ("   ", nil, false),
        ]
        let input = lines.map(\.line).joined(separator: "\n") + "\n"
        try Data(input.utf8).write(to: bench.directory.appending(path: "asked"))
        let outcome = try bench.run(
            """
            set -e
            ftictl init --quiet >&2
            cat > f.yaml <<< '{ref: features/prod, sources: [{files: Examples/handbook/edition-1/install}], embed: {dimension: 64}}'
            cat > t.yaml <<< '{model: models/current, retrieval: {candidates: 50}, sft: {epochs: 5}, dpo: {epochs: 1}}'
            fti-feature run f.yaml --quiet >&2; fti-training run t.yaml --quiet >&2
            fti-inference ask --stdin < asked
            """)
        #expect(outcome.status == 0, "\(outcome.error)")
        let replies = outcome.output.split(separator: "\n").map(String.init)
        try #require(replies.count == lines.count, "\(outcome.output)")
        for ((line, id, isAnswer), reply) in zip(lines, replies) {
            #expect(reply.contains("\"answer\":") == isAnswer, "\(line): \(reply)")
            #expect(reply.contains("\"error\":\"usage\"") != isAnswer, "\(line): \(reply)")
            if let id {
                #expect(reply.contains("\"id\":\(id),"), "\(line): \(reply)")
            } else {
                #expect(!reply.contains("\"id\":"), "\(line): \(reply)")
            }
        }
    }

    @Test("a lock file whose pins were edited answers nothing, and --check says why")
    func editedLock() throws {
        let bench = try Workbench()
        let outcome = try bench.run(
            """
            set -e
            cp -r .fti-example .fti
            ftictl pin features/prod models/current -o fti.lock >&2
            fti-inference ask 'What size holes do I drill in brick?' --pin fti.lock >&2
            sed -i 's/"transaction":\\([0-9]*\\)/"transaction":1\\1/' fti.lock
            set +e
            fti-inference ask 'What size holes do I drill in brick?' --pin fti.lock; echo $?
            ftictl pin --check fti.lock; echo $?
            ftictl pin features/prod models/current -o fti.lock >&2; echo $?
            ftictl pin --check fti.lock >&2; echo $?
            """)
        #expect(outcome.output == "64\n64\n0\n0\n", "\(outcome.output)\(outcome.error)")
        #expect(outcome.error.components(separatedBy: "the file was edited").count == 3)
    }
}
