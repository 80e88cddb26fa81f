"""The training of pipelines/smollm2.yaml by transformers and peft: the same weights, adapters, batches and schedule.

    python smollm2_lora.py MODEL ADAPTER BATCHES HISTORY [STEPS]

MODEL: the folder artifacts/outputs/smollm2/base/model, which holds the weights of the GGUF file in float32.
ADAPTER: the adapters that both begin with: train/model/adapter of a run with `-p learning_rate=1e-30`. What they start
as follows from the seed alone, so few rows do for that run.
BATCHES: a line for each step, of `retune show collate.train --batch N --json`.
HISTORY: artifacts/outputs/smollm2/train/history, for its losses beside these.
pip install torch transformers peft
"""

import json
import resource
import sys
import time

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, get_linear_schedule_with_warmup

WARMUP_SHARE, LEARNING_RATE, CLIP = 0.05, 2e-4, 1.0
IGNORED = -100


def examples(line):
    """Inputs and targets, [B, T], padded to the longest row; an end of text that is padding is not attended to."""
    rows = json.loads(line)["content"]["rows"]
    tokens = [[token for run in row["runs"] for token in run["tokens"]] for row in rows]
    trained = [[run["kind"] == "trained" for run in row["runs"] for _ in run["tokens"]] for row in rows]
    longest = max(map(len, tokens))
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    labels = torch.full_like(ids, IGNORED)
    mask = torch.zeros_like(ids)
    for i, (row, learnt) in enumerate(zip(tokens, trained)):
        ids[i, : len(row)] = torch.tensor(row)
        mask[i, : len(row)] = 1
        labels[i, : len(row)] = torch.tensor([t if yes else IGNORED for t, yes in zip(row, learnt)])
    return ids, mask, labels


def main(model_folder, adapter, batches, history, steps=None):
    with open(batches) as file:
        lines = file.read().splitlines()
    with open(history) as file:
        entries = [entry for entry in map(json.loads, file) if entry["type"] == "step"]
    base = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
    model = PeftModel.from_pretrained(base, adapter, is_trainable=True).train()
    optimizer = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], lr=LEARNING_RATE, weight_decay=0.0
    )
    total = len(entries)
    warmup = -int(-total * WARMUP_SHARE // 1)
    schedule = get_linear_schedule_with_warmup(optimizer, warmup, total)
    start, cpu, furthest = time.time(), time.process_time(), 0.0
    for step, line in enumerate(lines[: int(steps or total)]):
        ids, mask, labels = examples(line)
        loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        ours = entries[step]
        furthest = max(furthest, abs(loss.item() - ours["loss"]))
        print(
            f"{step + 1:4} peft {loss.item():.6f} retune {ours['loss']:.6f} "
            f"norm {norm.item():.5f} {ours['gradient_norm']:.5f} furthest {furthest:.1e}",
            flush=True,
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{time.time() - start:.0f} s, {time.process_time() - cpu:.0f} s of processors, {peak:.2f} GiB at most")


if __name__ == "__main__":
    main(*sys.argv[1:])
