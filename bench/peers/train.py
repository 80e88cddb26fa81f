# Answers each line of JSON on standard input: one eager training step of a GPT-2 folder, in float32 or under autocast.
# python train.py FOLDER [float32|bf16|fp16]
import json, resource, sys, time
import torch
from transformers import GPT2LMHeadModel

torch.set_num_threads(2)
half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get((sys.argv[2:] or ["float32"])[0])
model = GPT2LMHeadModel.from_pretrained(sys.argv[1], attn_implementation="eager").train()
for module in model.modules():
    if isinstance(module, torch.nn.Dropout):
        module.p = 0.0
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, weight_decay=0.1)

for line in sys.stdin:
    rows = json.loads(line)["rows"]
    width = max(len(row["inputs"]) for row in rows)
    inputs = torch.tensor([row["inputs"] + [50256] * (width - len(row["inputs"])) for row in rows])
    targets = torch.tensor([row["targets"] + [-100] * (width - len(row["targets"])) for row in rows])
    start = time.perf_counter()
    optimizer.zero_grad()
    with torch.autocast("cpu", dtype=half or torch.bfloat16, enabled=half is not None):
        logits = model(inputs).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
    loss.backward()
    optimizer.step()
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "memory": memory, "loss": loss.item()}), flush=True)
