"""Fine-tunes a real language model with few steps, and looks at all that a full run promises.

usage: test.py [CHECK...]     runs only these; `make test-models` runs all of them
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

from pipeline import LLM, Pipeline, free_port

STEPS = {"sft": 6, "dpo": 2}


def check_a_killed_training_leaves_its_checkpoint_and_goes_on(pipeline: Pipeline) -> None:
    process = pipeline.start(LLM, "run", "fti-training", "run", "Examples/trl/sft.yaml",
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    trainer = wait(lambda: trainer_of(process.pid), process)
    # The second checkpoint is complete when the metrics reach the fifth step.
    wait(lambda: steps(metrics_of(trainer)) >= 5, process)
    os.kill(trainer, signal.SIGKILL)
    error = process.communicate(timeout=600)[1]
    assert process.returncode and "--resume" in error, error
    assert pipeline.resolve("models/sft") is None, "a killed training published a model"
    checkpoint, = (path.name for path in pipeline.extract("models/sft-checkpoint").iterdir()
                   if path.name.startswith("checkpoint-"))
    assert checkpoint in ("checkpoint-4", "checkpoint-6"), checkpoint
    pipeline.train("sft", "--resume")
    log = (pipeline.extract("models/sft") / "training/log.txt").read_text()
    assert f"continues from {checkpoint}" in log, log


def check_going_on_leads_where_the_whole_training_leads(pipeline: Pipeline) -> None:
    resumed = weights(pipeline.extract("models/sft-adapter"))
    pipeline.edit("Examples/trl/sft.yaml", save=STEPS["sft"])
    other = pipeline.folder / "Examples/trl/whole.yaml"
    text = (pipeline.folder / "Examples/trl/sft.yaml").read_text()
    other.write_text(text.replace("models/sft", "models/whole"))
    pipeline.train("whole")
    whole = weights(pipeline.extract("models/whole-adapter"))
    assert resumed == whole, "the resumed training has other weights than the uninterrupted one"


def check_the_models_load_as_they_are(pipeline: Pipeline) -> None:
    pipeline.train("dpo")
    for name, base in (("sft", "smollm2"), ("dpo", "sft")):
        merged, adapter = pipeline.extract(f"models/{name}"), pipeline.extract(f"models/{name}-adapter")
        pipeline.run(LLM, "python", pathlib.Path(__file__).with_name("load.py"),
                     pipeline.extract(f"models/{base}"), adapter, merged)


def check_the_lineage_names_dataset_and_base(pipeline: Pipeline) -> None:
    for name, dataset, base in (("sft", "datasets/sft", "models/smollm2"), ("dpo", "datasets/dpo", "models/sft")):
        inputs = pipeline.snapshot(f"models/{name}")["inputs"]
        assert inputs["dataset"] == pipeline.resolve(dataset), inputs
        assert inputs["base"] == pipeline.resolve(base), inputs
        run = json.loads((pipeline.extract(f"models/{name}") / "training/run.json").read_text())
        assert run["params"]["steps"] == STEPS[name] and run["packages"]["trl"], run


def check_the_tuned_model_is_served_and_no_other(pipeline: Pipeline) -> None:
    with pipeline.served("models/sft") as url:
        model = json.load(urllib.request.urlopen(f"{url}/v1/models"))["data"][0]["id"]
        body = {"model": model, "messages": [{"role": "user", "content": "How heavy is the hub carton?"}]}
        request = urllib.request.Request(f"{url}/v1/chat/completions", json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        record = json.load(urllib.request.urlopen(request, timeout=600))["fti"]
    assert record["verified"] and record["generator"]["snapshot"] == pipeline.resolve("models/sft"), record
    # The base under the tuned model's name: its answers are not those that the release records.
    impostor = pipeline.folder / "impostor/models-sft"
    shutil.copytree(pipeline.extract("models/smollm2"), impostor)
    with pipeline.engine(impostor) as port:
        done = pipeline.start("fti-inference", "serve", pipeline.serving("models/sft", port, 0), "--check",
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        error = done.communicate(timeout=600)[1]
    assert done.returncode and "not the one that the release records" in error, error


def check_the_readme_says_what_works(pipeline: Pipeline) -> None:
    readme = (pipeline.folder / "Examples/trl/README.md").read_text()
    blocks = re.findall(r"^```console\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    commands = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    engine, port = free_port(), free_port()
    script = "\n".join(commands).replace("8000", str(engine)).replace("8080", str(port))
    # Its first four questions are enough.
    questions = pipeline.folder / "Examples/trl/evaluation.jsonl"
    questions.write_text("".join(questions.read_text().splitlines(keepends=True)[:4]))
    configuration = pipeline.folder / "Examples/trl/inference.yaml"
    configuration.write_text(configuration.read_text().replace("8000", str(engine)).replace("8080", str(port)))
    shutil.rmtree(pipeline.folder / ".fti")
    stop = f"trap 'kill $(jobs -p); {LLM} stop {engine}' EXIT"
    pipeline.run("bash", "-euo", "pipefail", "-c", f"{stop}\n{script}")


# MARK: What the checks need

def wait(condition, process: subprocess.Popen, seconds: int = 1800):
    """Waits until a condition holds while a process runs, and returns its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        assert process.poll() is None, f"it ended early: {process.communicate()[1]}"
        time.sleep(0.1)
    raise AssertionError(f"not after {seconds} s")


def descendants(parent: int) -> list[int]:
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in parentheses, may hold anything; the parent is the second word after it.
            if int(path.read_text().rpartition(")")[2].split()[1]) == parent:
                found += [int(path.parent.name), *descendants(int(path.parent.name))]
        except OSError:
            continue  # it has ended since
    return found


def trainer_of(parent: int) -> int | None:
    """The process of the trainer below one of ours: the last that was started with the script."""
    def is_trainer(process: int) -> bool:
        try:
            words = pathlib.Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False  # it has ended since
        return b"python" in words[0] and any(word.endswith(b"sft.py") for word in words[1:])
    return next((process for process in reversed(descendants(parent)) if is_trainer(process)), None)


def metrics_of(process: int) -> pathlib.Path:
    """Where a trainer writes its metrics, as its environment says."""
    variables = pathlib.Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    return next(pathlib.Path(os.fsdecode(v.partition(b"=")[2])) for v in variables if v.startswith(b"FTI_METRICS="))


def steps(metrics: pathlib.Path) -> int:
    lines = metrics.read_text().splitlines()
    return json.loads(lines[-1])["step"] if lines else 0


def weights(folder: pathlib.Path) -> bytes:
    return (folder / "adapter_model.safetensors").read_bytes()


def main() -> None:
    checks = [value for name, value in globals().items() if name.startswith("check_")]
    wanted = sys.argv[1:]
    with (tempfile.TemporaryDirectory(prefix="fti-models-") as folder,
          contextlib.closing(Pipeline(pathlib.Path(folder), STEPS)) as pipeline):
        pipeline.prepare()
        for check in checks:
            name = check.__name__.removeprefix("check_").replace("_", " ")
            if wanted and not any(word in check.__name__ for word in wanted):
                continue
            began = time.monotonic()
            check(pipeline)
            print(f"ok   {name}, {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
