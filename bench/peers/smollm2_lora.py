"""The training of pipelines/smollm2.yaml by transformers and peft: the same weights, adapters, batches and schedule.

    python smollm2_lora.py MODEL ADAPTER BATCHES HISTORY [RESPONSES ANSWERS]

MODEL: the folder artifacts/outputs/smollm2/base/model, which holds the weights of the GGUF file in float32.
ADAPTER: the adapters that both start from: train/model/adapter of a run with `-p learning_rate=1e-30`. They depend only on
the seed, so a few rows are enough for that run.
BATCHES: a line for each step, of `tuneloom show collate.train --batch N --json`.
HISTORY: artifacts/outputs/smollm2/train/history, whose losses are printed beside these.
RESPONSES: artifacts/outputs/smollm2/answers_after/responses. The tuned model answers their prompts and scores the expected
answers; ANSWERS is written for `tuneloom score`, and the number of equal answers is printed.
pip install torch transformers peft
"""

import json
import resource
import sys
import time

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, get_linear_schedule_with_warmup

WARMUP_SHARE, LEARNING_RATE, CLIP = 0.05, 2e-4, 1.0
BATCH_SIZE, MAX_NEW_TOKENS, END = 16, 64, "<|im_end|>"
IGNORED = -100


def examples(line):
    """Inputs, attention mask and targets, [B, T], padded to the longest row."""
    rows = json.loads(line)["content"]["rows"]
    tokens = [[token for run in row["runs"] for token in run["tokens"]] for row in rows]
    trained = [[run["kind"] == "trained" for run in row["runs"] for _ in run["tokens"]] for row in rows]
    longest = max(map(len, tokens))
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    labels = torch.full_like(ids, IGNORED)
    mask = torch.zeros_like(ids)
    for i, (row, learned) in enumerate(zip(tokens, trained)):
        ids[i, : len(row)] = torch.tensor(row)
        mask[i, : len(row)] = 1
        labels[i, : len(row)] = torch.tensor([t if yes else IGNORED for t, yes in zip(row, learned)])
    return ids, mask, labels


def answer(model, tokenizer, records):
    """Greedy answers, the prompts padded on the left."""
    tokenizer.padding_side = "left"
    answers = []
    for start in range(0, len(records), BATCH_SIZE):
        prompts = [record["prompt"] for record in records[start : start + BATCH_SIZE]]
        batch = tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=False)
        out = model.generate(
            **batch,
            do_sample=False,
            max_new_tokens=MAX_NEW_TOKENS,
            eos_token_id=tokenizer.convert_tokens_to_ids(END),
            pad_token_id=tokenizer.convert_tokens_to_ids(END),
        )
        new = out[:, batch["input_ids"].shape[1] :]
        answers += tokenizer.batch_decode(new, skip_special_tokens=True)
    return answers


def expected_loss(model, tokenizer, record):
    """The negative log-likelihood of the expected answer with its end token, and their number of tokens."""
    prompt = tokenizer(record["prompt"], add_special_tokens=False)["input_ids"]
    expected = tokenizer(record["expected"] + END, add_special_tokens=False)["input_ids"]
    ids = torch.tensor([prompt + expected])
    labels = torch.tensor([[IGNORED] * len(prompt) + expected])
    return model(input_ids=ids, labels=labels).loss.item() * len(expected), len(expected)


def rate(model, tokenizer, responses, answers_file):
    with open(responses) as file:
        records = list(map(json.loads, file))
    start = time.time()
    answers = answer(model, tokenizer, records)
    print(f"{len(records)} answers in {time.time() - start:.1f} s")
    equal = sum(a == record["response"] for a, record in zip(answers, records))
    losses, tokens = zip(*(expected_loss(model, tokenizer, record) for record in records))
    print(f"{equal} answers equal tuneloom's; loss of the expected answers {sum(losses) / sum(tokens):.4f}")
    with open(answers_file, "w") as file:
        for record, text in zip(records, answers):
            file.write(json.dumps({**record, "response": text, "finish_reason": "stop"}) + "\n")


def main(model_folder, adapter, batches, history, responses=None, answers_file=None):
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
    for step, line in enumerate(lines):
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
            f"{step + 1:4} peft {loss.item():.6f} tuneloom {ours['loss']:.6f} "
            f"norm {norm.item():.5f} {ours['gradient_norm']:.5f} furthest {furthest:.1e}",
            flush=True,
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{time.time() - start:.0f} s, {time.process_time() - cpu:.0f} s of processors, {peak:.2f} GiB at most")
    if responses:
        with torch.no_grad():
            rate(model.eval(), AutoTokenizer.from_pretrained(model_folder), responses, answers_file)


if __name__ == "__main__":
    main(*sys.argv[1:])
