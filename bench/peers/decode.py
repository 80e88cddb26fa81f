# Answers each line of JSON on standard input: greedy answers of given lengths with a GPT-2 folder.
# decode.py FOLDER generate|loop    transformers' generate in batches, or one row at a time without a cache.
import json, resource, sys, time
import torch
from transformers import GPT2LMHeadModel

folder, mode = sys.argv[1:3]
torch.set_num_threads(2)
model = GPT2LMHeadModel.from_pretrained(folder).eval()
end = model.config.vocab_size - 1


@torch.inference_mode()
def without_cache(tokens, count):
    ids = torch.tensor([tokens])
    for _ in range(count):
        logits = model(ids, use_cache=False).logits[:, -1]
        ids = torch.cat([ids, logits.argmax(-1, keepdim=True)], 1)
    return ids[0, len(tokens):].tolist()


@torch.inference_mode()
def in_batches(prompts, batch):
    written = []
    # All rows of a batch are as long as the longest: batches of similar length waste least.
    order = sorted(range(len(prompts)), key=lambda i: prompts[i]["newTokens"])
    for start in range(0, len(order), batch):
        some = [prompts[i] for i in order[start : start + batch]]
        width = max(len(p["tokens"]) for p in some)
        ids = torch.tensor([[end] * (width - len(p["tokens"])) + p["tokens"] for p in some])
        mask = torch.tensor([[0] * (width - len(p["tokens"])) + [1] * len(p["tokens"]) for p in some])
        count = max(p["newTokens"] for p in some)
        out = model.generate(ids, attention_mask=mask, max_new_tokens=count, min_new_tokens=count, do_sample=False, pad_token_id=end)
        written += [(i, row[width:].tolist()[: prompts[i]["newTokens"]]) for i, row in zip(order[start:], out)]
    return [row for _, row in sorted(written)]


for line in sys.stdin:
    request = json.loads(line)
    prompts = request["prompts"]
    start = time.perf_counter()
    if mode == "loop":
        written = [without_cache(p["tokens"], p["newTokens"]) for p in prompts]
    else:
        written = in_batches(prompts, request["batch"])
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "memory": memory, "written": written}), flush=True)
