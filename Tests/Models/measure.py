"""Token F1 of the base, of SFT and of DPO, each served through the pipeline. See Examples/trl/README.md.

usage: measure.py [--bf16] [--folder FOLDER]     FOLDER keeps the repository and the answers; .bench-models by default

With --bf16 the trainers calculate in bfloat16, which is faster on processors that have it.
"""

import argparse
import pathlib
import time

from pipeline import EXAMPLE, ROOT, Pipeline

import evaluate

MODELS = {"base": "models/smollm2", "SFT": "models/sft", "DPO": "models/dpo"}


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / ".bench-models")
    options = parser.parse_args()
    pipeline = Pipeline(options.folder.resolve())
    pipeline.prepare()
    for name in ("sft", "dpo"):
        if options.bf16:
            pipeline.edit(f"Examples/trl/{name}.yaml", bf16="true")
        seconds = pipeline.train_if_needed(name)
        print(f"{name}: {f'trained in {seconds:.0f} s' if seconds else 'trained before'}", flush=True)
    files = []
    for name, model in MODELS.items():
        began = time.monotonic()
        answers = pipeline.folder / f"answers-{name}.jsonl"
        with pipeline.served(model) as url:
            evaluate.ask(url, str(EXAMPLE / "evaluation.jsonl"), str(answers))
        print(f"{name} asked: {time.monotonic() - began:.0f} s", flush=True)
        files.append(f"{name}={answers}")
    print()
    evaluate.compare(files, beats="SFT")


if __name__ == "__main__":
    main()
