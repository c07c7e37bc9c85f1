import Foundation
import TestSupport
import Testing

/// Runs of `fti-training` as a process, in a project with a repository.
private final class TrainerProject {
    let files: TemporaryDirectory

    init() throws {
        files = try TemporaryDirectory()
        for name in ["work", "home", "tmp"] { try files.makeDirectory(name) }
        try files.write("work/data/train.jsonl", "{\"messages\":[]}\n")
        #expect(try ftictl("init", ".").status == 0)
        #expect(try ftictl("put", "datasets/sft", "data").status == 0)
    }

    private func start(_ program: String, _ arguments: [String]) throws -> ChildProcess {
        try ChildProcess(
            program.hasPrefix("/") ? program : Project.executable(program), arguments,
            in: files("work"),
            environment: [
                "PATH": "/usr/bin:/bin", "HOME": files("home"), "TMPDIR": files("tmp"),
                "FTI_AUTHOR": "ada@test", "XDG_STATE_HOME": files("state"), "TERM": "xterm",
                "COLUMNS": "200",
            ])
    }

    func ftictl(_ arguments: String...) throws -> Outcome {
        try start("ftictl", arguments).finish()
    }

    /// Starts a run of a trainer that is a shell script.
    func start(
        _ script: String, options: String = "timeout: 1m", arguments: [String] = []
    ) throws -> ChildProcess {
        try files.write("work/train.sh", script)
        return try start(command: "sh, train.sh", options: options, arguments: arguments)
    }

    /// Starts a run of a trainer.
    ///
    /// - Parameter terminal: A file for what the run writes to a terminal; nil to run it without one.
    func start(
        command: String, options: String = "timeout: 1m", arguments: [String] = [],
        terminal: String? = nil
    ) throws -> ChildProcess {
        try files.write(
            "work/trainer.yaml",
            """
            dataset: datasets/sft
            model: models/sft
            trainer:
              command: [\(command)]
              \(options)
            """)
        let words = ["run", "trainer.yaml"] + arguments
        guard let terminal else { return try start("fti-training", words) }
        let line = ([Project.executable("fti-training")] + words).joined(separator: " ")
        return try start("/usr/bin/script", ["-qefc", line, terminal])
    }

    /// Waits for a file that a trainer writes, and reads a number from it.
    func number(in name: String) throws -> Int32 {
        while true {
            if let text = try? files.text(name), text.hasSuffix("\n") {
                return try #require(Int32(text.dropLast()))
            }
            usleep(20_000)
        }
    }

    /// The folders of runs that exist.
    func scratch() throws -> [String] { try files.names(in: "tmp/fti-training-\(geteuid())") }

    func hasModel() throws -> Bool { try ftictl("resolve", "models/sft").status == 0 }
}

@Suite("fti-training run with a trainer")
struct TrainerProcessTests {
    private func isAlive(_ process: Int32) -> Bool { kill(process, 0) == 0 }

    /// Waits until a process is gone, which takes the supervisor a moment.
    private func waitForEnd(of process: Int32) {
        for _ in 0..<3000 where isAlive(process) { usleep(10_000) }
    }

    @Test("with --json, standard output has only the report; a failure has its code and details")
    func reports() throws {
        let project = try TrainerProject()
        let done = try project.start(
            "echo noise; echo noise >&2; echo 1 > $FTI_OUTPUT_DIR/a", arguments: ["--json"]
        ).finish()
        #expect(done.status == 0, "\(done.error)")
        #expect(done.error.isEmpty)
        #expect(try done.object()["transaction"] as? Int == 2)
        let failed = try project.start("echo why; exit 5", arguments: ["--json"]).finish()
        #expect(failed.status == 70 && failed.output.isEmpty)
        let report = try failed.errorObject()
        #expect(report["error"] as? String == "program" && report["exit"] as? Int == 70)
        let trainer = try #require(report["trainer"] as? [String: Any])
        #expect(trainer["end"] as? String == "exited" && trainer["code"] as? Int == 5)
        #expect(trainer["lastLines"] as? [String] == ["why"])
        let log = try #require(trainer["log"] as? String)
        #expect(log.hasPrefix(project.files("state/fti/runs/")))
        #expect(try String(contentsOfFile: log, encoding: .utf8) == "why\n")
        let text = try project.start("echo why; exit 5").finish()
        #expect(text.error.hasPrefix("error: the trainer exited with 5\n  command: sh train.sh\n"))
        #expect(text.error.contains("  the last lines of its log:\n    why\n"))
        let resumed = try project.start("exit 0", arguments: ["--resume"]).finish()
        #expect(resumed.status == 64)
        #expect(resumed.error.contains("trainer.checkpoint"))
    }

    @Test(
        "SIGINT and SIGTERM go to the trainer, and the run ends with a report",
        arguments: [SIGINT, SIGTERM])
    func interrupts(signal: Int32) throws {
        let project = try TrainerProject()
        let run = try project.start(
            """
            trap 'echo got INT; exit 0' INT; trap 'echo got TERM; exit 0' TERM
            echo 1 > $FTI_OUTPUT_DIR/a; mkdir $FTI_CHECKPOINT_DIR/step-3; echo 3 > $FTI_CHECKPOINT_DIR/step-3/a
            echo $$ > ../pid; while :; do sleep 0.1; done
            """, options: "checkpoint: models/sft-checkpoint")
        let trainer = try project.number(in: "pid")
        kill(run.identifier, signal)
        let outcome = try run.finish()
        #expect(outcome.status == 70)
        let name = signal == SIGINT ? "INT" : "TERM"
        #expect(outcome.error.contains("the trainer was interrupted by SIG\(name)"))
        #expect(outcome.error.contains("got \(name)"))
        #expect(outcome.error.contains("is now models/sft-checkpoint"))
        #expect(outcome.error.contains("try: fti-training run trainer.yaml --resume"))
        #expect(!isAlive(trainer))
        #expect(try !project.hasModel())
        #expect(try project.scratch().isEmpty)
    }

    @Test(
        "if fti-training itself is killed, nothing of the trainer lives on, and the next run cleans up"
    )
    func killed() throws {
        let project = try TrainerProject()
        let run = try project.start(
            """
            trap '' TERM INT HUP; echo 1 > $FTI_OUTPUT_DIR/a
            mkdir -p $FTI_OUTPUT_DIR/x/y; chmod 0 $FTI_OUTPUT_DIR/x/y
            setsid sh -c 'echo $$ > ../inner; exec sleep 1000' &
            echo $$ > ../pid; while :; do sleep 0.1; done
            """)
        let trainer = try project.number(in: "pid")
        let inner = try project.number(in: "inner")
        kill(run.identifier, SIGKILL)
        _ = try run.finish()
        waitForEnd(of: trainer)
        waitForEnd(of: inner)
        #expect(!isAlive(trainer) && !isAlive(inner))
        #expect(try !project.hasModel())
        let left = try project.scratch()
        #expect(left.count == 1)
        #expect(try project.start("exit 1").finish().status == 70)
        #expect(try project.scratch().isEmpty)
    }

    @Test("the folder of a run that is still going is not removed by another run")
    func concurrent() throws {
        let project = try TrainerProject()
        let first = try project.start(
            "echo $$ > ../pid; while [ ! -e ../go ]; do sleep 0.05; done; echo 1 > $FTI_OUTPUT_DIR/a"
        )
        _ = try project.number(in: "pid")
        #expect(try project.start(command: "sh, -c, 'exit 1'").finish().status == 70)
        #expect(try project.scratch().count == 1)
        try project.files.write("go", "")
        #expect(try first.finish().status == 0)
    }

    // MARK: The sandbox

    /// Whether bubblewrap can make a sandbox here.
    private static let hasSandbox: Bool = {
        let trial = try? ChildProcess(
            "/usr/bin/bwrap", ["--unshare-all", "--ro-bind", "/", "/", "/bin/true"]
        ).finish()
        return trial?.status == 0
    }()

    private static let attempts = """
        import os, socket, sys
        port, outside = int(sys.argv[1]), sys.argv[2]
        results = []
        def attempt(name, action):
            try:
                action()
                results.append(name + ": done")
            except Exception as error:
                results.append(name + ": " + type(error).__name__)
        attempt("network", lambda: socket.create_connection(("127.0.0.1", port), 5).close())
        attempt("repository", lambda: open(".fti/log/" + sorted(os.listdir(".fti/log"))[0]).read())
        attempt("outside", lambda: open(outside + "/written", "w").write("x"))
        attempt("folder", lambda: open("written", "w").write("x"))
        attempt("home", lambda: os.listdir(outside + "/home"))
        attempt("dataset", lambda: open(os.environ["FTI_DATASET_DIR"] + "/train.jsonl").read())
        attempt("inputs", lambda: open(os.environ["FTI_DATASET_DIR"] + "/train.jsonl", "a"))
        attempt("scratch", lambda: open(os.environ["TMPDIR"] + "/a", "w").write("x"))
        attempt("script", lambda: open("attempts.py").read())
        open(os.environ["FTI_METRICS"], "a").write('{"step": 1}\\n')
        open(os.environ["FTI_OUTPUT_DIR"] + "/results", "w").write("\\n".join(results))
        """

    @Test(
        "in the sandbox a trainer reaches neither the network nor the repository nor other files",
        .enabled(
            if: hasSandbox,
            "bubblewrap is missing or may not make namespaces here: apt-get install bubblewrap"))
    func sandbox() throws {
        let project = try TrainerProject()
        try project.files.write("work/attempts.py", Self.attempts)
        let listener = try Listener()
        func results(_ options: String) throws -> [String: String] {
            let outcome = try project.start(
                command:
                    "/usr/bin/python3, attempts.py, \"\(listener.port)\", \"\(project.files.path)\"",
                options: options
            ).finish()
            #expect(outcome.status == 0, "\(outcome.error)")
            let text = try project.ftictl("cat", "models/sft:results").output
            return Dictionary(
                uniqueKeysWithValues: text.split(separator: "\n").map { line in
                    let parts = line.split(separator: ":")
                    return (String(parts[0]), String(parts[1].dropFirst()))
                })
        }
        let free = try results("sandbox: false")
        for name in ["network", "repository", "outside", "folder", "home", "dataset"] {
            #expect(free[name] == "done", "\(name): \(free)")
        }
        try project.files.remove("written")
        try project.files.remove("work/written")
        let boxed = try results("sandbox: true")
        for name in ["network", "repository", "outside", "folder", "home", "inputs"] {
            #expect(boxed[name] != nil && boxed[name] != "done", "\(name): \(boxed)")
        }
        for name in ["dataset", "scratch", "script"] { #expect(boxed[name] == "done", "\(boxed)") }
        #expect(try !project.files.names().contains("written"))
        #expect(try !project.files.names(in: "work").contains("written"))
        #expect(try project.files.names(in: "work").contains(".fti"))
        let record = try project.ftictl("cat", "models/sft:training/run.json").object()
        #expect(record["sandbox"] as? Bool == true)
        // The interpreter was asked for its packages inside the sandbox.
        #expect((record["packages"] as? [String: Any])?["python"] != nil)
    }

    @Test(
        "a trainer in the sandbox gets SIGTERM at its timeout, and its interpreter may be a virtual environment",
        .enabled(if: hasSandbox, "bubblewrap is missing or may not make namespaces here"))
    func sandboxSignals() throws {
        let project = try TrainerProject()
        let failed = try project.start(
            "trap 'echo told; exit 0' TERM; while :; do sleep 0.1; done",
            options: "sandbox: true\n  timeout: 2s"
        ).finish()
        #expect(failed.status == 70)
        #expect(failed.error.contains("timeout of 2 s") && failed.error.contains("told"))

        let made = try ChildProcess(
            "/usr/bin/python3", ["-m", "venv", "--without-pip", project.files("venv")]
        ).finish()
        try #require(made.status == 0, "\(made.error)")
        try project.files.write(
            "work/attempts.py",
            "import os, sys; open(os.environ['FTI_OUTPUT_DIR'] + '/prefix', 'w').write(sys.prefix)")
        let done = try project.start(
            command: "\(project.files("venv"))/bin/python3, attempts.py", options: "sandbox: true"
        ).finish()
        #expect(done.status == 0, "\(done.error)")
        #expect(
            try project.ftictl("cat", "models/sft:prefix").output == project.files("venv"))
    }

    @Test("a sandbox that would show the home directory is refused")
    func sandboxInHome() throws {
        let project = try TrainerProject()
        try project.files.write(
            "trainer.yaml",
            """
            repo: work/.fti
            dataset: datasets/sft
            model: models/sft
            trainer: {command: [sh, -c, "true"], sandbox: true}
            """)
        let outcome = try ChildProcess(
            Project.executable("fti-training"), ["run", "../trainer.yaml"],
            in: project.files("work"),
            environment: [
                "PATH": "/usr/bin:/bin", "HOME": project.files("home"),
                "TMPDIR": project.files("tmp"),
            ]
        ).finish()
        #expect(outcome.status == 4)
        #expect(
            outcome.error.contains("home directory") || outcome.error.contains("bubblewrap"),
            "\(outcome.error)")
    }
}

/// A TCP socket that listens on the loopback interface.
private final class Listener {
    private let descriptor: Int32
    let port: Int

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let name = descriptor
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(name, pointer, size) | listen(name, 16) | getsockname(name, pointer, &size)
            }
        }
        #expect(code == 0)
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }
}
