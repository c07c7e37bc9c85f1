import Objects
import Refs
import Storage
import Testing
@testable import TrainingPipeline

@Suite("The configuration of a trainer")
struct TrainerConfigurationTests {
    private func parse(_ yaml: String) throws -> TrainerConfiguration? {
        guard case .trainer(let configuration) = try TrainingPlan(yaml: yaml, path: "conf/t.yaml")
        else { return nil }
        return configuration
    }

    @Test("every key is read, and paths start from the file's folder")
    func full() throws {
        let configuration = try #require(
            try parse(
                """
                repo: .fti
                dataset: datasets/sft@{yesterday}
                base: models/base~1
                evaluation: datasets/eval
                model: models/sft
                adapter: models/sft-adapter
                trainer:
                  command: [python3, train.py, --fast]
                  params: {steps: 12, nested: {list: [1, "2"]}}
                  seed: 3
                  timeout: 2h
                  silence: 10m
                  environment: [HF_HOME, CUDA_VISIBLE_DEVICES, TOKENIZERS_PARALLELISM]
                  sandbox: true
                  checkpoint: models/sft-checkpoint
                  tokenizer: changed
                """))
        #expect(configuration.repository == "conf/.fti" && configuration.folder == "conf")
        #expect(configuration.dataset == "datasets/sft@{yesterday}")
        #expect(configuration.base == "models/base~1")
        #expect(configuration.evaluation == "datasets/eval" && configuration.changesTokenizer)
        #expect(
            configuration.refs.map(\.text) == [
                "models/sft", "models/sft-adapter", "models/sft-checkpoint",
            ])
        #expect(configuration.command == ["python3", "train.py", "--fast"])
        #expect(configuration.params["nested"]?["list"] == [1, "2"])
        #expect(configuration.timeout == .seconds(7200) && configuration.silence == .seconds(600))
        #expect(configuration.environment.count == 3 && configuration.sandbox)
    }

    @Test("without trainer, the file is that of a ranker")
    func ranker() throws {
        #expect(
            try TrainingPlan(yaml: "features: features/a", path: "t.yaml")
                == .ranker(TrainingConfiguration(yaml: "features: features/a", path: "t.yaml")))
        #expect(throws: TrainingError.self) {
            try TrainingPlan(yaml: "dataset: datasets/sft", path: "t.yaml")
        }
    }

    @Test(
        "mistakes are refused with their line",
        arguments: [
            (
                "features: features/prod\ntrainer: {command: [a]}",
                "t.yaml:1: features and trainer are for different runs: split the file in two"
            ),
            (
                "dataset: datasets/a\nmodel: models/a\ntrainer: {command: [a]}\nsft: {epochs: 1}",
                "t.yaml:4: sft and trainer are for"
            ),
            (
                "dataset: datasets/a\nmodel: models/a\ntrainer: {command: [a]}\nbasis: b",
                "t.yaml:4: unknown key basis: the keys are repo, dataset"
            ),
            (
                "dataset: datasets/a\nmodel: models/a\ntrainer:\n  command: [a]\n  steps: 3",
                "t.yaml:5: unknown key trainer.steps"
            ),
            ("model: models/a\ntrainer: {command: [a]}", "dataset is missing"),
            ("dataset: datasets/a\ntrainer: {command: [a]}", "model is missing"),
            (
                "dataset: datasets/a\nmodel: models/a\ntrainer: {timeout: 2h}",
                "trainer.command is missing"
            ),
            (
                "dataset: datasets/a\nmodel: models/a\ntrainer: {command: []}",
                "trainer.command is missing"
            ),
            (
                "dataset: datasets/a\nmodel: models/a\ntrainer: {command: python3 train.py}",
                "trainer.command must be a list"
            ),
            ("dataset: datasets/a\nmodel: models/a\ntrainer:", "trainer must be a mapping"),
            (
                "dataset: datasets/a\nmodel: models/a\ntrainer:\n  command: [a]\n  timeout: 7",
                "t.yaml:5: trainer.timeout must be a duration"
            ),
            (
                "dataset: datasets/a\nmodel: models/a\ntrainer: {command: [a], timeout: 0s}",
                "trainer.timeout must be from 1s"
            ),
            (
                "dataset: datasets/a\nmodel: datasets/b\ntrainer: {command: [a]}",
                "t.yaml:2: model must be a ref of a model"
            ),
            (
                "dataset: datasets/a\nmodel: models/a\nadapter: models/a\ntrainer: {command: [a]}",
                "must be different refs"
            ),
            (
                "dataset: datasets/a\nmodel: models/a\ntrainer: {command: [a], checkpoint: x}",
                "trainer.checkpoint: "
            ),
            (
                "dataset: datasets/a\nmodel: models/a\ntrainer: {command: [a], sandbox: 1}",
                "trainer.sandbox must be true or false"
            ),
        ])
    func refused(yaml: String, message: String) throws {
        let error = try #require(throws: TrainingError.self) {
            try TrainingPlan(yaml: yaml, path: "t.yaml")
        }
        #expect(error.fault == .usage)
        #expect(error.message.contains(message), "\(error.message)")
    }

    @Test(
        "variables whose names announce a secret, and the run's own, cannot be passed on",
        arguments: [
            "HF_TOKEN", "OPENAI_API_KEY", "AWS_PROFILE", "FTI_KEY", "PGPASSWORD", "MY_SECRET_NAME",
            "GOOGLE_APPLICATION_CREDENTIALS", "SSH_AUTH_SOCK", "wandb_api_key", "HOME", "TMPDIR",
            "A=B", "", "1A", "A B",
        ])
    func secretNames(name: String) throws {
        #expect(TrainerEnvironment.objection(to: name) != nil)
        guard !name.isEmpty else { return }
        let error = try #require(throws: TrainingError.self) {
            try TrainingPlan(
                yaml: """
                    dataset: datasets/a
                    model: models/a
                    trainer:
                      command: [a]
                      environment:
                        - LANG
                        - "\(name)"
                    """, path: "t.yaml")
        }
        #expect(error.message.hasPrefix("t.yaml:7: trainer.environment: "), "\(error.message)")
    }
}
