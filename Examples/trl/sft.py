"""Supervised fine-tuning with LoRA: the model learns the written answer to each prompt of the dataset. See README.md."""

import contract
from trl import SFTConfig, SFTTrainer

options = contract.params(steps=64, batch=4, rate=5e-4, rank=16, save=16, length=768, bf16=False)
model, tokenizer = contract.base()

# As prompt and completion, the loss counts the answer alone, under the tokenizer's own chat template. TRL's other way,
# `assistant_only_loss`, would need a template with marks, which is not the one of serving.
examples = [{"prompt": row["messages"][:-1], "completion": row["messages"][-1:]} for row in contract.rows()]
settings = contract.settings(options)
trainer = SFTTrainer(
    model, args=SFTConfig(**settings, completion_only_loss=True), processing_class=tokenizer,
    train_dataset=contract.dataset(examples, ("completion",), tokenizer, options["length"]),
    peft_config=contract.adapter(options["rank"]))
contract.train(trainer)
contract.save(trainer, tokenizer)
