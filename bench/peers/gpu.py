# PyTorch on the GPU, or on the processor where there is none: training steps of a GPT-2 folder, eager and compiled, in float32
# and with bfloat16 autocast; greedy decoding; products and copies. python gpu.py FOLDER ROWS.json SIDE NEW_TOKENS
import json, statistics, sys, time
import torch
from transformers import GPT2LMHeadModel

folder, rows_file, side, new_tokens = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
device = "cuda" if torch.cuda.is_available() else "cpu"
batches = [
    tuple(torch.tensor([row[name] for row in rows], device=device) for name in ("inputs", "targets"))
    for rows in json.load(open(rows_file))
]


def finished():
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def training(compiled, half):
    model = GPT2LMHeadModel.from_pretrained(folder).to(device).train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, weight_decay=0.1, fused=device == "cuda")
    run = torch.compile(model) if compiled else model
    seconds, losses = [], []
    for inputs, targets in batches:
        start = finished()
        optimizer.zero_grad()
        with torch.autocast(device, torch.bfloat16, enabled=half):
            logits = run(inputs).logits
            loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), targets.flatten())
        loss.backward()
        optimizer.step()
        seconds.append(finished() - start)
        losses.append(loss.item())
    return {"first_seconds": seconds[0], "median_seconds": statistics.median(seconds[2:]), "losses": losses}


def decoding():
    model = GPT2LMHeadModel.from_pretrained(folder).to(device).eval()
    prompts = batches[0][0][:, :32]
    settings = {"max_new_tokens": new_tokens, "min_new_tokens": new_tokens, "do_sample": False, "pad_token_id": 50256}
    model.generate(prompts, **settings)
    start = finished()
    written = model.generate(prompts, **settings)
    return {
        "tokens_per_second": prompts.shape[0] * new_tokens / (finished() - start),
        "first_tokens": written[:, prompts.shape[1]].tolist(),
    }


def best(work, rounds=10):
    times = []
    for _ in range(rounds):
        start = finished()
        work()
        times.append(finished() - start)
    return min(times[1:])


def attempt(work, *words):
    try:
        return work(*words)
    except Exception as error:
        return {"error": str(error).splitlines()[0] if str(error) else type(error).__name__}


def ceilings():
    found = {}
    for name, kind in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        a, b = (torch.ones(side, side, device=device, dtype=kind) for _ in range(2))
        found[f"{name}_gigaflops_per_second"] = 2e-9 * side**3 / best(lambda: a @ b)
    x = torch.ones(16 * side * side // 4, device=device)
    found["copy_gigabytes_per_second"] = 2e-9 * x.nbytes / best(lambda: x.clone())
    return found


print(
    json.dumps(
        {
            "torch": torch.__version__,
            "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
            "eager float32": attempt(training, False, False),
            "eager bfloat16": attempt(training, False, True),
            "compiled float32": attempt(training, True, False),
            "compiled bfloat16": attempt(training, True, True),
            "decoding float32": attempt(decoding),
            "ceilings": attempt(ceilings),
        }
    )
)
