internal import Glibc
internal import Objects
internal import Processes
internal import Storage

/// The circumstances of a run, stored with the model as `training/run.json`.
struct RunRecord {
    /// The versions of the packages of a Python interpreter, by name; nil for other programs.
    let packages: JSONObject?
    private let devices: JSONObject
    private let system: JSONObject
    private let source: JSONObject?

    /// Examines the machine and the trainer's program, before the run.
    init(_ command: TrainerCommand) {
        packages = command.isPython ? Self.packages(command) : nil
        devices = Self.devices
        system = Self.system
        source = Self.revision(of: command.folder)
    }

    /// The file `run.json`.
    func json(
        _ configuration: TrainerConfiguration, _ command: TrainerCommand, _ inputs: TrainerInputs,
        _ execution: TrainerExecution, resumed: TrainerCheckpoint.Start?, started: Timestamp,
        ended: Timestamp
    ) -> JSON {
        var object = configuration.identity
        object["type"] = "training run"
        object["version"] = 1
        object["timeout"] = .integer(Int(configuration.timeout / .seconds(1)))
        object["silence"] = configuration.silence.map { .integer(Int($0 / .seconds(1))) }
        object["sandbox"] = .bool(configuration.sandbox)
        var variables = JSONObject(
            command.environment.passed.map { ($0.key, JSON.string($0.value)) })
        // These are folders of the run, whose names say nothing.
        for name in command.environment.own.keys {
            variables[name] = name.utf8.starts(with: "FTI_".utf8) ? "(set)" : "(private folder)"
        }
        variables["FTI_SEED"] = .string(String(configuration.seed))
        object["variables"] = .object(variables)
        object["packages"] = packages.map { .object($0) } ?? .null
        object["devices"] = .object(devices)
        object["system"] = .object(system)
        object["source"] = source.map { .object($0) } ?? .null
        object["inputs"] = .object(Self.inputs(inputs))
        object["resumed"] = resumed?.json ?? .null
        object["started"] = .string(started.description)
        object["ended"] = .string(ended.description)
        object["seconds"] = .number(
            (execution.duration / .milliseconds(1)).rounded() / 1000)
        object["exit"] = execution.end.code.map { .integer(Int($0)) } ?? .null
        object["log"] = [
            "bytes": .integer(execution.log.size), "omitted": .integer(execution.log.omitted),
        ]
        let metrics = execution.metrics
        object["metrics"] = [
            "lines": .integer(metrics.lines), "ignored": .integer(metrics.ignored.count),
            "reason": metrics.ignored.count > 0 ? .string(metrics.ignored.reason) : .null,
        ]
        return .object(object)
    }

    private static func inputs(_ inputs: TrainerInputs) -> JSONObject {
        var object = JSONObject()
        for (role, input) in inputs.all {
            object[role] = [
                "revision": .string(input.revision), "snapshot": .string(input.id.hex),
            ]
        }
        return object
    }

    // MARK: The trainer's program

    private static let question = """
        import importlib.metadata, json, platform
        found = {d.metadata['Name']: d.version for d in importlib.metadata.distributions()}
        print(json.dumps({'python': platform.python_version(),
                          'packages': {k: v for k, v in found.items() if k and v}}))
        """

    private static func packages(_ command: TrainerCommand) -> JSONObject? {
        // Warnings may come before the answer.
        guard let output = command.output(["-c", question]),
            let line = output.split(separator: 0x0A).last,
            let answer = try? JSON(parsing: Array(line).span, valueLimit: 100_000),
            var packages = answer["packages"]?.object
        else { return nil }
        packages["python"] = answer["python"]
        return packages
    }

    // MARK: The machine

    private static var devices: JSONObject {
        var object = JSONObject()
        let processor = value(of: ["model name", "Model", "cpu model"], in: "/proc/cpuinfo")
        object["cpu"] = [
            "model": processor.map { .string($0) } ?? .null,
            "count": .integer(max(0, sysconf(Int32(_SC_NPROCESSORS_ONLN)))),
        ]
        let memory = value(of: ["MemTotal"], in: "/proc/meminfo")?.split(separator: " ").first
        object["memory"] = memory.flatMap { Int($0) }.map { .integer($0 << 10) } ?? .null
        let listing = LimitedProcess.run(
            "nvidia-smi", ["-L"], input: [],
            limits: .init(processorSeconds: 10, seconds: 20, memory: 64 << 30, output: 64 << 10))
        if listing.end == .exited(0) {
            object["gpus"] = .array(
                listing.output.split(separator: 0x0A).prefix(64).map {
                    .string(String(decoding: $0, as: UTF8.self))
                })
        }
        return object
    }

    private static var system: JSONObject {
        var object = JSONObject()
        let kernel = FilePlace.text(of: "/proc/sys/kernel/osrelease", limit: 1000)
        object["kernel"] =
            kernel?.split(separator: "\n").first.map { .string(String($0)) } ?? .null
        #if arch(x86_64)
            object["machine"] = "x86_64"
        #elseif arch(arm64)
            object["machine"] = "aarch64"
        #endif
        let title = value(of: ["PRETTY_NAME"], in: "/etc/os-release", separator: "=")
        object["name"] = title.map { .string($0.filter { $0 != "\"" }) } ?? .null
        return object
    }

    /// The value of the first line of a file of the system that begins with one of these keys.
    private static func value(
        of keys: [String], in path: String, separator: Character = ":"
    ) -> String? {
        guard let text = FilePlace.text(of: path, limit: 64 << 10) else { return nil }
        for line in text.split(separator: "\n") {
            guard let mark = line.firstIndex(of: separator) else { continue }
            let key = line[..<mark].reversed().drop { $0 == " " || $0 == "\t" }.reversed()
            guard keys.contains(String(key)) else { continue }
            return String(line[line.index(after: mark)...].drop { $0 == " " || $0 == "\t" })
        }
        return nil
    }

    // MARK: The source code

    /// The git revision of a folder, and whether tracked files below it differ; nil outside of git.
    private static func revision(of folder: String) -> JSONObject? {
        func git(_ arguments: [String]) -> String? {
            // A repository's own settings could otherwise run programs.
            let safe = [
                "-C", folder, "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null",
            ]
            let process = LimitedProcess.run(
                "git", safe + arguments, input: [],
                limits: .init(processorSeconds: 30, seconds: 60, output: 1 << 20),
                variables: ["HOME"])
            guard process.end == .exited(0) else { return nil }
            return String(decoding: process.output, as: UTF8.self)
        }
        guard let revision = git(["rev-parse", "HEAD"])?.split(separator: "\n").first else {
            return nil
        }
        let changes = git(["status", "--porcelain", "--untracked-files=no", "--", "."])
        return JSONObject([
            ("git", .string(String(revision))),
            ("modified", changes.map { .bool(!$0.isEmpty) } ?? .null),
        ])
    }
}
