# Answers each line of JSON on standard input: one training step of a GPT-2 folder on the rows it holds. The peers:
# eager      float32, rows padded, as a short script has it
# fp32-best  rows one after the other without padding, attention to each by itself, AdamW in one kernel
# best       the same with bfloat16 autocast
# best-fp16  the same with float16 autocast, and no loss scaling
# compiled   the same by torch.compile, with a mask that keeps the rows apart
# python train.py FOLDER [PEER]
import json, resource, sys, time
import torch
from torch.nn.functional import cross_entropy, scaled_dot_product_attention
from transformers import AttentionInterface, GPT2LMHeadModel

folder, peer = [*sys.argv[1:], "eager"][:2]
torch.set_num_threads(2)
packs = peer != "eager"
half = {"best": torch.bfloat16, "compiled": torch.bfloat16, "best-fp16": torch.float16}.get(peer)
lengths = []


def attend_to_rows(module, query, key, value, attention_mask, **_):
    rows = zip(*(states.split(lengths, dim=2) for states in (query, key, value)))
    attended = [scaled_dot_product_attention(*row, is_causal=True).transpose(1, 2) for row in rows]
    return torch.cat(attended, dim=1), None


AttentionInterface.register("rows", attend_to_rows)
model = GPT2LMHeadModel.from_pretrained(
    folder,
    attn_implementation={"eager": "eager", "compiled": "sdpa"}.get(peer, "rows"),
    # The formula is that of gelu_new, which computes it in eight operations.
    **({"activation_function": "gelu_pytorch_tanh"} if packs else {}),
).train()
for module in model.modules():
    if isinstance(module, torch.nn.Dropout):
        module.p = 0.0
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, weight_decay=0.1, fused=packs)


def loss_of(inputs, targets, positions, mask):
    with torch.autocast("cpu", half or torch.bfloat16, enabled=half is not None):
        logits = model(inputs, position_ids=positions, attention_mask=mask, use_cache=False).logits
    return cross_entropy(logits.flatten(0, 1).float(), targets.flatten())


if peer == "compiled":
    loss_of = torch.compile(loss_of, dynamic=True)


def padded(rows):
    width = max(len(row["inputs"]) for row in rows)
    inputs = [row["inputs"] + [50256] * (width - len(row["inputs"])) for row in rows]
    targets = [row["targets"] + [-100] * (width - len(row["targets"])) for row in rows]
    return torch.tensor(inputs), torch.tensor(targets), None, None


def packed(rows):
    global lengths
    lengths = [len(row["inputs"]) for row in rows]
    inputs, targets = ([token for row in rows for token in row[name]] for name in ("inputs", "targets"))
    positions = [position for length in lengths for position in range(length)]
    row_of = torch.repeat_interleave(torch.arange(len(rows)), torch.tensor(lengths))
    mask = (row_of[:, None] == row_of).tril()[None, None] if peer == "compiled" else None
    return torch.tensor([inputs]), torch.tensor([targets]), torch.tensor([positions]), mask


for line in sys.stdin:
    batch = (packed if packs else padded)(json.loads(line)["rows"])
    start = time.perf_counter()
    optimizer.zero_grad()
    loss = loss_of(*batch)
    loss.backward()
    optimizer.step()
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "memory": memory, "loss": loss.item()}), flush=True)
