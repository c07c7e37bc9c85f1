"""Loads a base, an adapter and merged weights in transformers, and compares them.

usage: load.py BASE ADAPTER MERGED
"""

import os
import pathlib
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

base, adapter, merged = map(pathlib.Path, sys.argv[1:])
tokenizer, original = AutoTokenizer.from_pretrained(merged), AutoTokenizer.from_pretrained(base)
assert tokenizer.chat_template == original.chat_template and tokenizer.get_vocab() == original.get_vocab()
ids = tokenizer.apply_chat_template(
    [{"role": "user", "content": "How heavy is the hub carton?"}], add_generation_prompt=True, return_tensors="pt",
    return_dict=False)
with torch.no_grad():
    before = AutoModelForCausalLM.from_pretrained(base)
    plain = before(ids).logits
    adapted = PeftModel.from_pretrained(before, adapter)(ids).logits
    alone = AutoModelForCausalLM.from_pretrained(merged)(ids).logits
assert not torch.equal(plain, alone), "training changed nothing"
# Sums in another order differ in their last digits.
torch.testing.assert_close(adapted, alone, rtol=1e-3, atol=1e-3)
