"""The contract between `fti-training run` and a trainer, for trainers that use Hugging Face's libraries.

The run tells a trainer by variables where everything is: `FTI_DATASET_DIR` and `FTI_BASE_DIR` to read,
`FTI_OUTPUT_DIR` for the model, `FTI_CHECKPOINT_DIR`, `FTI_PARAMS` (a JSON file), `FTI_METRICS` (a JSON Lines file to
append to) and `FTI_SEED`. See docs/trainers.md. Import this module before any other: it keeps them off the network.
"""

import json
import os
import shutil
import sys
import warnings
from pathlib import Path

# The libraries announce the future of their own defaults.
warnings.filterwarnings("ignore", category=FutureWarning)
# All inputs are folders. A name that is not found must fail here, not be looked up on a hub.
os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")

import torch
import transformers
from datasets import Dataset, disable_progress_bars
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback

DATASET, OUTPUT, CHECKPOINTS, METRICS = (
    Path(os.environ[f"FTI_{name}"]) for name in ("DATASET_DIR", "OUTPUT_DIR", "CHECKPOINT_DIR", "METRICS"))
SEED = int(os.environ.get("FTI_SEED", "0"))

# What a killed trainer printed last is in its log.
sys.stdout.reconfigure(line_buffering=True)
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
disable_progress_bars()


def fail(message: str) -> None:
    sys.exit(f"trainer: {message}")


def params(**defaults) -> dict:
    """The parameters of the run over the defaults. A name without a default is an error: it would have no effect."""
    given = json.loads(Path(os.environ["FTI_PARAMS"]).read_text())
    if unknown := sorted(set(given) - set(defaults)):
        fail(f"unknown parameter {unknown[0]}; the parameters are {', '.join(sorted(defaults))}")
    return {**defaults, **given}


def rows(split: str = "train") -> list[dict]:
    """The examples of one split of the dataset, in the order of the file."""
    path = DATASET / f"{split}.jsonl"
    if not path.exists():
        fail(f"the dataset has no {path.name}")
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def base() -> tuple:
    """The model to start from and its tokenizer, which has the chat template that serving uses."""
    if not (folder := os.environ.get("FTI_BASE_DIR")):
        fail("needs a base model; add `base` to the configuration")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if not tokenizer.chat_template:
        fail("the base has no chat template, so the model could not be served as it was trained")
    return AutoModelForCausalLM.from_pretrained(folder), tokenizer


def dataset(examples: list[dict], answers: tuple[str, ...], tokenizer, length: int) -> Dataset:
    """The examples for TRL. One that is longer than `length` tokens is an error: cutting it would drop its answer."""
    for number, example in enumerate(examples, 1):
        for answer in answers:
            ids = tokenizer.apply_chat_template(example["prompt"] + example[answer], return_dict=False)
            if len(ids) > length:
                fail(f"example {number} has {len(ids)} tokens; set `length` to at least that, or shorten the passages")
    return Dataset.from_list(examples)


def adapter(rank: int) -> LoraConfig:
    """LoRA on every linear layer but the last; scaling by 2."""
    return LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM")


def settings(options: dict) -> dict:
    """What the configurations of TRL's trainers have in common. A checkpoint's folder has a dot until it is complete."""
    return dict(
        output_dir=str(CHECKPOINTS / ".unfinished"), max_steps=options["steps"],
        per_device_train_batch_size=options["batch"], learning_rate=options["rate"], lr_scheduler_type="cosine",
        warmup_steps=max(1, options["steps"] // 10), max_length=options["length"], save_steps=options["save"], seed=SEED,
        bf16=options["bf16"], use_cpu=not torch.cuda.is_available(), dataloader_pin_memory=torch.cuda.is_available(),
        gradient_checkpointing=False, logging_steps=1, report_to="none", disable_tqdm=True)


class Progress(TrainerCallback):
    """Appends one line a step to the metrics file, and moves complete checkpoints to where the run looks for them."""

    def on_log(self, arguments, state, control, logs=None, **_):
        curves = {name: value for name, value in (logs or {}).items()
                  if isinstance(value, (int, float)) and name not in ("epoch", "num_tokens")}
        if "loss" not in curves:
            return  # the summary at the end has only times
        with METRICS.open("a") as file:
            print(json.dumps({"step": state.global_step, "total": state.max_steps, **curves}), file=file)

    def on_save(self, arguments, state, control, **_):
        name = f"checkpoint-{state.global_step}"
        # Renaming is atomic: whoever kills the trainer finds this checkpoint whole, or the one before.
        os.rename(Path(arguments.output_dir) / name, CHECKPOINTS / name)
        for older in CHECKPOINTS.glob("checkpoint-*"):
            if older.name != name:
                shutil.rmtree(older)


def train(trainer) -> None:
    """Trains, from the last checkpoint if there is one."""
    trainer.add_callback(Progress())
    shutil.rmtree(trainer.args.output_dir, ignore_errors=True)
    last = max(CHECKPOINTS.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]), default=None)
    if last:
        print(f"continues from {last.name}", flush=True)
    trainer.train(resume_from_checkpoint=str(last) if last else None)


def save(trainer, tokenizer) -> None:
    """Leaves the merged weights with the tokenizer and its chat template, and the adapter in a folder of its own."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    folder = OUTPUT / "adapter"
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    # Where the base lay says nothing later: the snapshot names it by its hash. PEFT writes sets in any order.
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    config |= {"base_model_name_or_path": None, "target_modules": sorted(config["target_modules"])}
    path.write_text(json.dumps(config, indent=2) + "\n")
    model.merge_and_unload().save_pretrained(OUTPUT)
    tokenizer.save_pretrained(OUTPUT)
