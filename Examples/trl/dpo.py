"""Direct preference optimization with LoRA: the model learns to prefer the better of two answers. See README.md."""

import contract
from trl import DPOConfig, DPOTrainer

options = contract.params(steps=24, batch=2, rate=5e-5, rank=16, beta=0.1, save=8, length=768, bf16=False)
model, tokenizer = contract.base()

examples = [{name: row[name] for name in ("prompt", "chosen", "rejected")} for row in contract.rows()]
settings = contract.settings(options)
trainer = DPOTrainer(
    model, args=DPOConfig(**settings, beta=options["beta"]), processing_class=tokenizer,
    train_dataset=contract.dataset(examples, ("chosen", "rejected"), tokenizer, options["length"]),
    peft_config=contract.adapter(options["rank"]))
contract.train(trainer)
contract.save(trainer, tokenizer)
