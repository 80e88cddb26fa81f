"""Writes tests/fixtures/model/gguf/smollm2-logits.json: python smollm2-logits.py SmolLM2-135M-Instruct.Q4_1.gguf

The five most likely next tokens after texts of smollm2.json, given as ids, with their logits, as transformers computes
them from the same GGUF file in float32. The texts are ids because transformers' conversion drops SmolLM2's digit splitting.
pip install gguf transformers torch accelerate
"""

import json
import os
import sys

import torch
from transformers import AutoModelForCausalLM

fixtures = os.path.join(os.path.dirname(__file__), "../../tests/fixtures/model/gguf")
folder, name = os.path.split(os.path.abspath(sys.argv[1]))
model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32).eval()
with open(f"{fixtures}/smollm2.json") as file:
    texts = [ids for ids in json.load(file)["ids"] if len(ids) > 3][:12]
found = []
for ids in texts:
    with torch.no_grad():
        top = model(torch.tensor([ids])).logits[0, -1].topk(5)
    found.append({"ids": ids, "tokens": top.indices.tolist(), "logits": top.values.tolist()})
with open(f"{fixtures}/smollm2-logits.json", "w") as file:
    json.dump(found, file, separators=(",", ":"))
    file.write("\n")
print(len(found), "texts")
