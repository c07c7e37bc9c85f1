import Foundation
import Objects
import Refs
import Storage
import TestSupport
import Testing
@testable import TrainingPipeline

@Suite("A trainer that fails")
struct TrainerFailureTests {
    @Test("an exit code, a signal and an empty output leave no model, and a report with the log")
    func ends() throws {
        let bench = try TrainerBench()
        let exited = try bench.fail(
            "echo starting; echo 1 > $FTI_OUTPUT_DIR/a; echo 'out of memory' >&2; exit 3")
        #expect(exited.end == "exited" && exited.code == 3)
        #expect(exited.lastLines == ["starting", "out of memory"])
        let message = TrainingError.trainer(exited).message
        #expect(
            message.hasPrefix(
                "the trainer exited with 3\ncommand: sh train.sh\nit ran for 0 s\n"))
        #expect(message.contains("out of memory"))
        let log = try #require(exited.log)
        #expect(try String(contentsOfFile: log, encoding: .utf8) == "starting\nout of memory\n")
        #expect(try bench.files.names(in: "state/runs").count == 1)

        let signalled = try bench.fail("echo 1 > $FTI_OUTPUT_DIR/a; kill -SEGV $$")
        #expect(signalled.end == "signalled" && signalled.code == 11)
        #expect(signalled.reason.contains("SIGSEGV"))
        let empty = try bench.fail("mkdir $FTI_OUTPUT_DIR/folder; exit 0")
        #expect(empty.end == "output" && empty.reason.contains("left no file"))
        #expect(try bench.snapshot("models/sft") == nil)
    }

    @Test("a failure in a run leaves the model of the run before")
    func keepsTheOldModel() throws {
        let bench = try TrainerBench()
        let first = try bench.run("echo 1 > $FTI_OUTPUT_DIR/a")
        _ = try bench.fail("echo 2 > $FTI_OUTPUT_DIR/a; exit 1")
        let state = try bench.repository.state()
        #expect(state.target(of: try RefName("models/sft")) == first.model)
    }

    private func isAlive(_ process: pid_t) -> Bool { process > 1 && kill(process, 0) == 0 }

    @Test("a trainer that takes too long gets SIGTERM, and everything that ignores it is killed")
    func timeout() throws {
        let bench = try TrainerBench()
        let failure = try bench.fail(
            """
            echo 1 > $FTI_OUTPUT_DIR/a
            trap 'echo told to end' TERM
            setsid sh -c 'trap "" TERM; echo $$ > "$0"; exec sleep 100' "\(bench.files("inner"))" &
            while :; do sleep 0.1; done
            """, options: "timeout: 1s")
        #expect(failure.end == "timeout")
        #expect(failure.lastLines.contains("told to end"))
        #expect(failure.seconds >= 1)
        let inner = try bench.files.text("inner").split(separator: "\n").first
        #expect(!isAlive(pid_t(inner ?? "") ?? -1))
    }

    @Test("a trainer may use the time after SIGTERM to end by itself")
    func graceful() throws {
        let bench = try TrainerBench()
        bench.grace = .seconds(60)
        let failure = try bench.fail(
            "trap 'echo saved; exit 0' TERM; while :; do sleep 0.1; done", options: "timeout: 1s")
        #expect(failure.end == "timeout" && failure.lastLines.last == "saved")
        #expect(failure.seconds < 50)
    }

    @Test("a trainer that writes neither log nor metrics is stopped, one that writes either is not")
    func silence() throws {
        let bench = try TrainerBench()
        let failure = try bench.fail("sleep 100", options: "silence: 1s")
        #expect(failure.end == "silence")
        let report = try bench.run(
            """
            for i in 1 2 3 4 5 6 7 8; do echo "{\\"step\\": $i}" >> $FTI_METRICS; sleep 0.3; done
            echo 1 > $FTI_OUTPUT_DIR/a
            """, options: "silence: 2s")
        #expect(report.step == 8)
    }

    @Test("descendants that outlive the trainer are ended, and do not delay the run")
    func background() throws {
        let bench = try TrainerBench()
        _ = try bench.run(
            "echo 1 > $FTI_OUTPUT_DIR/a; setsid sleep 100 & echo $! > \(bench.files("inner"))")
        let inner = try bench.files.text("inner").split(separator: "\n").first
        #expect(!isAlive(pid_t(inner ?? "") ?? -1))
    }

    @Test("a long log keeps its beginning and its end")
    func longLog() throws {
        let bench = try TrainerBench()
        let failure = try bench.fail(
            "echo first; head -c 5000000 /dev/zero | tr '\\0' x; echo; echo last; exit 1")
        #expect(failure.lastLines.last == "last")
        let log = try String(contentsOfFile: try #require(failure.log), encoding: .utf8)
        #expect(log.hasPrefix("first\n") && log.hasSuffix("last\n"))
        #expect(log.contains("bytes of the log were left out"))
        #expect(log.utf8.count < 2 << 20)
    }

    @Test("only the newest logs are kept")
    func keptLogs() throws {
        let files = try TemporaryDirectory()
        let logs = KeptLogs(folder: files("runs"))
        let ref = try RefName("models/a/b")
        for second in 0..<25 {
            let moment = try #require(Timestamp(milliseconds: 1_780_000_000_000 + second * 1000))
            #expect(logs.keep([0x61], of: ref, at: moment)?.hasSuffix("-models-a-b.log") == true)
        }
        #expect(try files.names(in: "runs").count == 20)
        #expect(KeptLogs(folder: nil).keep([], of: ref, at: Handbook.writer.now()) == nil)
    }

    // MARK: Checkpoints

    private static let checkpoints = """
        step=0
        if [ "$FTI_RESUME" = 1 ]; then
            last=$(ls "$FTI_CHECKPOINT_DIR" | sort -t- -k2 -n | tail -n 1)
            step=$(cat "$FTI_CHECKPOINT_DIR/$last/step"); echo "resumed from $last"
        fi
        while [ $step -lt 12 ]; do
            step=$((step + 2)); echo "{\\"step\\": $step, \\"total\\": 12, \\"loss\\": 1}" >> $FTI_METRICS
            mkdir $FTI_CHECKPOINT_DIR/step-$step.tmp; echo $step > $FTI_CHECKPOINT_DIR/step-$step.tmp/step
            mv $FTI_CHECKPOINT_DIR/step-$step.tmp $FTI_CHECKPOINT_DIR/step-$step
            if [ $step = 10 ] && [ "$FTI_RESUME" != 1 ]; then mkdir $FTI_CHECKPOINT_DIR/step-12.tmp; exit 9; fi
        done
        echo $step > $FTI_OUTPUT_DIR/model.bin
        """

    private static let options = "checkpoint: models/sft-checkpoint\nparams: {rank: 8}"

    @Test("the last complete checkpoint of a failed run is published, and --resume goes on from it")
    func resume() throws {
        let bench = try TrainerBench()
        let failure = try bench.fail(Self.checkpoints, options: Self.options)
        #expect(failure.checkpoint?.step == 10)
        let error = TrainingError.trainer(failure)
        #expect(error.remedy?.contains("--resume") == true)
        #expect(error.message.contains("models/sft-checkpoint"))
        #expect(error.details["trainer"]?["checkpoint"]?["step"] == 10)
        let checkpoint = try #require(try bench.snapshot("models/sft-checkpoint"))
        #expect(try bench.paths(of: "models/sft-checkpoint") == ["step-10/step"])
        #expect(checkpoint.params["step"] == 10)
        #expect(checkpoint.params["reason"] == "exited with 9")
        #expect(checkpoint.inputs.keys.sorted() == ["dataset"])
        let report = try bench.run(Self.checkpoints, options: Self.options, isResumed: true)
        #expect(report.step == 12)
        #expect(try bench.text("model.bin", of: "models/sft") == "12\n")
        #expect(
            try bench.text("training/log.txt", of: "models/sft") == "resumed from step-10\n")
        #expect(try bench.record()["resumed"]?["step"] == 10)
    }

    @Test("a run goes on only from a checkpoint with its own inputs, command and parameters")
    func refusedResume() throws {
        let bench = try TrainerBench()
        func problem(_ options: String, top: String = "") throws -> TrainingError {
            try #require(throws: TrainingError.self) {
                try bench.run(Self.checkpoints, top: top, options: options, isResumed: true)
            }
        }
        #expect(try problem("seed: 7").fault == .usage)
        #expect(try problem(Self.options).fault == .missing)
        try bench.put("models/sft-checkpoint", ["a": "b"])
        #expect(try problem(Self.options).fault == .refused)
        _ = try bench.fail(Self.checkpoints, options: Self.options)
        let params = try problem("checkpoint: models/sft-checkpoint\nparams: {rank: 16}")
        #expect(params.fault == .refused)
        #expect(params.message.contains("params: {\"rank\":8} then, {\"rank\":16} now"))
        #expect(try problem(Self.options, top: "base: models/base").message.contains("base: none"))
        try bench.put("datasets/sft", ["train.jsonl": "new"])
        #expect(try problem(Self.options).message.contains("dataset: "))
        #expect(try bench.snapshot("models/sft") == nil)
    }

    @Test("unfinished checkpoints, links and files are none, and without a ref none is published")
    func incomplete() throws {
        let bench = try TrainerBench()
        let script = """
            cd $FTI_CHECKPOINT_DIR; mkdir .hidden a.tmp; echo 1 > .hidden/a; echo 1 > a.tmp/a
            ln -s /etc link; echo 1 > file; exit 1
            """
        let failure = try bench.fail(script, options: "checkpoint: models/sft-checkpoint")
        #expect(failure.checkpoint == nil && failure.checkpointProblem == nil)
        #expect(try bench.snapshot("models/sft-checkpoint") == nil)
        let linked = try bench.fail(
            "mkdir $FTI_CHECKPOINT_DIR/step-1; ln -s /etc $FTI_CHECKPOINT_DIR/step-1/etc; exit 1",
            options: "checkpoint: models/sft-checkpoint")
        #expect(linked.checkpoint == nil && linked.checkpointProblem?.contains("etc") == true)
        _ = try bench.fail(Self.checkpoints, options: "seed: 7")
        #expect(try bench.snapshot("models/sft-checkpoint") == nil)
    }

    @Test("the last checkpoint has the greatest number, or is the one that changed last")
    func lastCheckpoint() throws {
        let files = try TemporaryDirectory()
        for name in ["checkpoint-9", "checkpoint-10", "checkpoint-100.tmp"] {
            try files.write("a/\(name)/x", "1")
        }
        // It is empty: a trainer that was killed had only begun it.
        try files.makeDirectory("a/checkpoint-11")
        #expect(TrainerCheckpoint.last(in: files("a"))?.name == "checkpoint-10")
        #expect(TrainerCheckpoint.last(in: files("a"))?.number == 10)
        for name in ["first-3", "second"] { try files.write("b/\(name)/x", "1") }
        let old = try ChildProcess(
            "/bin/sh", ["-c", "touch -d 2020-01-01 first-3"], in: files("b"))
        #expect(try old.finish().status == 0)
        #expect(TrainerCheckpoint.last(in: files("b"))?.name == "second")
        #expect(TrainerCheckpoint.last(in: files("absent")) == nil)
    }
}
