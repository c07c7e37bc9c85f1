import Foundation
import Objects
import Refs
import Storage
import TestSupport
import Testing
@testable import TrainingPipeline

@Suite("A trainer as a command")
struct TrainerRunTests {
    @Test("what the trainer leaves becomes the model, with the record of the run")
    func publishes() throws {
        let bench = try TrainerBench()
        let report = try bench.run(
            """
            set -e
            cat "$FTI_DATASET_DIR/train.jsonl" "$FTI_BASE_DIR/weights.bin" > "$FTI_OUTPUT_DIR/out.bin"
            mkdir "$FTI_OUTPUT_DIR/tokenizer"
            cp "$FTI_PARAMS" "$FTI_OUTPUT_DIR/tokenizer/params.json"
            echo "seed $FTI_SEED in $(basename "$PWD"), resume ${FTI_RESUME-no}"
            for step in 1 2 3; do
                echo "{\\"step\\": $step, \\"total\\": 3, \\"loss\\": 0.$((9 - step)), \\"note\\": \\"x\\"}" >> "$FTI_METRICS"
            done
            printf '{"final": {"accuracy": 0.75, "loss": 0.5}}' >> "$FTI_METRICS"
            """, top: "base: models/base",
            options: "params: {steps: 3, rate: 0.001, name: \"8\"}\nseed: 11\ntimeout: 2m")
        #expect(
            try bench.paths(of: "models/sft") == [
                "out.bin", "tokenizer/params.json", "training/log.txt", "training/metrics.jsonl",
                "training/run.json",
            ])
        #expect(
            try bench.text("out.bin", of: "models/sft") == "{\"messages\":[]}\nbase weights")
        #expect(
            try bench.text("tokenizer/params.json", of: "models/sft")
                == "{\"name\":\"8\",\"rate\":0.001,\"steps\":3}\n")
        #expect(
            try bench.text("training/log.txt", of: "models/sft") == "seed 11 in work, resume no\n")
        #expect(
            try bench.text("training/metrics.jsonl", of: "models/sft")?.split(separator: "\n").last
                == "{\"final\":{\"accuracy\":0.75,\"loss\":0.5}}")
        let model = try #require(try bench.snapshot("models/sft"))
        let state = try bench.repository.state()
        #expect(model.kind == .model)
        #expect(
            model.inputs == [
                "dataset": state.target(of: try RefName("datasets/sft")),
                "base": state.target(of: try RefName("models/base")),
            ])
        #expect(model.metrics == ["accuracy": 0.75, "loss": 0.5])
        #expect(model.params["seed"] == 11 && model.params["params"]?["steps"] == 3)
        #expect(model.params["command"] == ["sh", "train.sh"])
        #expect(report.model == state.target(of: try RefName("models/sft")))
        #expect(report.step == 3 && report.warnings.isEmpty)
        #expect(report.json["metrics"] == ["accuracy": 0.75, "loss": 0.5])

        let record = try bench.record()
        #expect(record["timeout"] == 120 && record["sandbox"] == false && record["exit"] == 0)
        #expect(record["packages"] == .null && record["source"] == .null)
        #expect((record["devices"]?["cpu"]?["count"]?.integer ?? 0) >= 1)
        #expect((record["devices"]?["memory"]?.integer ?? 0) > 0)
        #expect(record["inputs"]?["base"]?["revision"] == "models/base")
        #expect(try bench.files.names(in: "tmp/fti-training-\(geteuid())").isEmpty)
    }

    @Test("the environment is an allow-list, and the inputs are read-only")
    func surroundings() throws {
        let bench = try TrainerBench()
        bench.environment.merge([
            "AWS_SECRET_ACCESS_KEY": "x", "FTI_KEY": "y", "HOME": "/root", "OTHER": "z",
            "SHARED": "yes", "TZ": "UTC",
        ]) { $1 }
        _ = try bench.run(
            """
            env > "$FTI_OUTPUT_DIR/env"
            ls /proc/self/fd | wc -l > "$FTI_OUTPUT_DIR/descriptors"
            stat -c %a "$FTI_DATASET_DIR" "$FTI_DATASET_DIR/sub" "$FTI_DATASET_DIR/train.jsonl" \\
                "$FTI_OUTPUT_DIR" > "$FTI_OUTPUT_DIR/modes"
            ls -A "$HOME" | wc -l > "$FTI_OUTPUT_DIR/home"
            """, options: "environment: [SHARED, ABSENT]")
        let lines = try #require(try bench.text("env", of: "models/sft")).split(separator: "\n")
        let names = Set(lines.map { String($0.prefix { $0 != "=" }) }).subtracting([
            "PWD", "OLDPWD", "_",
        ])
        #expect(
            names
                == [
                    "PATH", "LC_ALL", "TZ", "SHARED", "HOME", "TMPDIR", "FTI_DATASET_DIR",
                    "FTI_OUTPUT_DIR", "FTI_PARAMS", "FTI_CHECKPOINT_DIR", "FTI_METRICS", "FTI_SEED",
                ])
        #expect(lines.contains("SHARED=yes") && !lines.contains("HOME=/root"))
        #expect(try bench.text("descriptors", of: "models/sft") == "4\n")
        #expect(try bench.text("modes", of: "models/sft") == "500\n500\n400\n700\n")
        let home = try #require(lines.first { $0.hasPrefix("HOME=") }).dropFirst(5)
        #expect(home.hasPrefix(bench.files("tmp")))
        #expect(try bench.text("home", of: "models/sft") == "0\n")
        let variables = try #require(try bench.record()["variables"]?.object)
        #expect(variables["SHARED"] == "yes" && variables["HOME"] == "(private folder)")
        #expect(variables["OTHER"] == nil && variables["FTI_KEY"] == nil)
        #expect(!JSON.object(variables).canonicalText.contains(bench.files("tmp")))
    }

    @Test(
        "a secret in a variable, the command or the parameters is refused before the trainer runs")
    func secrets() throws {
        let bench = try TrainerBench()
        let key = "sk-proj-" + String(repeating: "a1B2", count: 10)
        let script = "touch \"\(bench.files("ran"))\"; touch \"$FTI_OUTPUT_DIR/a\""
        for (value, options) in [
            (key, "environment: [SHARED]"),
            ("http://ada:pass@proxy:8080", "environment: [SHARED]"),
            ("", "params: {name: \(key)}"),
        ] {
            bench.environment["SHARED"] = value
            let error = try #require(throws: TrainingError.self) {
                try bench.run(script, options: options)
            }
            #expect(error.fault == .refused && !error.message.contains("a1B2a1B2"))
        }
        #expect(try !bench.files.names().contains("ran"))
        #expect(try bench.snapshot("models/sft") == nil)
    }

    @Test("the same result with the same inputs is not published again, whatever the log says")
    func unchanged() throws {
        let bench = try TrainerBench()
        let script = """
            date +%N; echo "{\\"step\\": 1, \\"speed\\": $$}" >> $FTI_METRICS
            echo weights > $FTI_OUTPUT_DIR/model.bin
            """
        let first = try bench.run(script)
        let number = try bench.repository.state().number
        let second = try bench.run(script)
        #expect(second.transaction == nil && second.model == first.model)
        #expect(try bench.repository.state().number == number)
        // Other parameters, and another dataset with the same result, make a new version.
        let third = try bench.run(script, options: "seed: 8")
        #expect(third.model != first.model)
        try bench.put("datasets/sft", ["train.jsonl": "new"])
        #expect(try bench.run(script, options: "seed: 8").model != third.model)
        #expect(try bench.snapshot("models/sft")?.parents == [third.model])
    }

    @Test("an adapter is a snapshot of its own, and an input of the merged model")
    func adapter() throws {
        let bench = try TrainerBench()
        let script = """
            mkdir $FTI_OUTPUT_DIR/adapter; echo low rank > $FTI_OUTPUT_DIR/adapter/adapter_model.bin
            echo merged > $FTI_OUTPUT_DIR/model.bin
            """
        let top = "base: models/base\nadapter: models/sft-adapter"
        let number = try bench.repository.state().number
        let report = try bench.run(script, top: top)
        #expect(try bench.repository.state().number == number + 1)
        #expect(report.refs.map(\.name.text).sorted() == ["models/sft", "models/sft-adapter"])
        #expect(try bench.paths(of: "models/sft-adapter") == ["adapter_model.bin"])
        #expect(try !bench.paths(of: "models/sft").contains { $0.hasPrefix("adapter") })
        let adapter = try #require(try bench.snapshot("models/sft-adapter"))
        let model = try #require(try bench.snapshot("models/sft"))
        #expect(adapter.inputs.keys.sorted() == ["base", "dataset"])
        #expect(model.inputs["adapter"] == report.adapter)
        #expect(try bench.run(script, top: top).transaction == nil)
        // Without the key the folder stays in the model.
        _ = try bench.run(script)
        #expect(try bench.paths(of: "models/sft").contains("adapter/adapter_model.bin"))
        let without = try bench.run("echo merged > $FTI_OUTPUT_DIR/model.bin", top: top)
        #expect(without.adapter == nil && without.warnings.contains { $0.contains("no folder") })
        let error = try #require(throws: TrainingError.self) {
            try bench.run(
                "mkdir $FTI_OUTPUT_DIR/adapter; echo 1 > $FTI_OUTPUT_DIR/adapter/a", top: top)
        }
        #expect(error.fault == .program && error.message.contains("left only the folder adapter"))
    }

    @Test(
        "an output that cannot be stored is refused with the names",
        arguments: [
            ("ln -s /etc/passwd link", "link"), ("ln -s a here", "here"), ("mkfifo pipe", "pipe"),
            ("mkdir training; echo 1 > training/x", "training"), ("mkdir d; ln -s .. d/up", "d/up"),
            (
                "/usr/bin/python3 -c \"import socket; socket.socket(socket.AF_UNIX).bind('sock')\"",
                "sock"
            ),
            ("printf x > \"$(printf 'a\\001b')\"", "a\\x01b"),
        ])
    func hostileOutput(script: String, name: String) throws {
        let bench = try TrainerBench()
        let error = try #require(throws: TrainingError.self) {
            try bench.run("cd $FTI_OUTPUT_DIR; echo 1 > a; \(script)")
        }
        #expect(error.fault == .program)
        #expect(error.message.contains(name), "\(error.message)")
        #expect(try bench.snapshot("models/sft") == nil)
    }

    @Test("inputs of the wrong kind, missing ones and a missing program are refused at the start")
    func refusedInputs() throws {
        let bench = try TrainerBench()
        func error(_ dataset: String, _ command: String, top: String = "") throws -> TrainingError {
            try #require(throws: TrainingError.self) {
                try bench.run(
                    yaml: """
                        dataset: \(dataset)
                        model: models/sft
                        \(top)
                        trainer: {command: [\(command)]}
                        """)
            }
        }
        #expect(try error("models/base", "sh").fault == .refused)
        #expect(try error("datasets/absent", "sh").fault == .missing)
        #expect(try error("datasets/sft", "sh", top: "base: datasets/sft").fault == .refused)
        #expect(try error("datasets/sft", "no-such-program").fault == .missing)
        #expect(try error("datasets/sft", "./train.sh").fault == .missing)
    }

    @Test("the versions of a Python interpreter's packages are recorded")
    func packages() throws {
        let bench = try TrainerBench()
        try bench.files.write(
            "work/train.py",
            "import os; open(os.environ['FTI_OUTPUT_DIR'] + '/a', 'w').write('1')")
        let report = try bench.run(
            yaml: """
                dataset: datasets/sft
                model: models/sft
                trainer: {command: [/usr/bin/python3, train.py]}
                """)
        #expect(report.warnings.isEmpty)
        #expect(try bench.record()["packages"]?["python"]?.string?.hasPrefix("3.") == true)
    }

    @Test("the git revision of the trainer, and whether it was modified, are recorded")
    func revision() throws {
        let bench = try TrainerBench()
        let script = "echo 1 > $FTI_OUTPUT_DIR/a"
        try bench.files.write("work/train.sh", script)
        let made = try ChildProcess(
            "/bin/sh",
            [
                "-c",
                "git init -q && git add -A && git -c user.name=a -c user.email=a@b commit -qm 1",
            ], in: bench.files("work"), environment: ["PATH": "/usr/bin:/bin", "HOME": "/nowhere"]
        ).finish()
        try #require(made.status == 0, "\(made.error)")
        _ = try bench.run(script)
        let source = try #require(try bench.record()["source"])
        #expect(source["git"]?.string?.utf8.count == 40 && source["modified"] == false)
        _ = try bench.run("echo 2 > $FTI_OUTPUT_DIR/a")
        #expect(try bench.record()["source"]?["modified"] == true)
    }
}
