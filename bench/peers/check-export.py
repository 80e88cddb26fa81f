"""Loads exports of `tuneloom export` with transformers and peft: python check-export.py FULL [PEFT BASE MERGED]

FULL is a folder of --format hf; PEFT one of --format peft, BASE the folder of the model that it adapts, MERGED one of
--format merged. Prints the findings, and fails if the adapter on its base and the merged model differ in their logits.
pip install torch transformers peft
"""

import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def load(folder):
    model, info = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not any(info.values()), info
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return model.eval(), tokenizer


model, tokenizer = load(sys.argv[1])
text = "Below is an instruction. It's 1,234 naïve 日本 🙂\n\n### Response:\n  two  spaces"
ids = tokenizer(text, return_tensors="pt").input_ids
assert tokenizer.decode(ids[0]) == text, tokenizer.decode(ids[0])
answer = model.generate(ids[:, :8], attention_mask=torch.ones_like(ids[:, :8]), max_new_tokens=5, do_sample=False)
print(sys.argv[1], model.dtype, sum(p.numel() for p in model.parameters()), "parameters")
print(" ids", ids[0, :12].tolist(), "end", tokenizer.eos_token_id, model.generation_config.eos_token_id)
print(" greedy", answer[0, 8:].tolist())

if len(sys.argv) > 2:
    from peft import PeftModel

    base, _ = load(sys.argv[3])
    merged, _ = load(sys.argv[4])
    adapted = PeftModel.from_pretrained(base, sys.argv[2]).eval()
    with torch.no_grad():
        difference = (adapted(ids).logits - merged(ids).logits).abs().max().item()
        with adapted.disable_adapter():
            change = (adapted(ids).logits - merged(ids).logits).abs().max().item()
    print(f" adapter on its base against merged: {difference:.2e} (without the adapter {change:.2e})")
    assert difference < 1e-5 and change > difference
