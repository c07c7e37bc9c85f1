"""Token F1 of the base, of SFT and of DPO, each served through the pipeline. See Examples/trl/README.md.

usage: measure.py [FOLDER]     FOLDER keeps the repository, so that a second run trains only what has changed
"""

import pathlib
import sys
import time

from pipeline import EXAMPLE, ROOT, Pipeline

import evaluate

MODELS = {"base": "models/smollm2", "SFT": "models/sft", "DPO": "models/dpo"}


def main() -> None:
    pipeline = Pipeline(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / ".bench-models").resolve())
    pipeline.prepare()
    for name in ("sft", "dpo"):
        began = time.monotonic()
        pipeline.train(name)
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
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
