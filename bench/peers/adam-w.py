# Answers each line of JSON on standard input: seconds of a step of torch.optim.AdamW over `parameters`.
import json, resource, sys, time
import torch

torch.set_num_threads(2)
for line in sys.stdin:
    parameters, steps = (json.loads(line)[name] for name in ("parameters", "steps"))
    largest = 2**26
    sizes = [min(largest, parameters - start) for start in range(0, parameters, largest)]
    all = [torch.nn.Parameter(torch.full((size,), 0.5)) for size in sizes]
    for one in all:
        one.grad = torch.full_like(one, 0.25)
    optimizer = torch.optim.AdamW(all, lr=1e-4, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1)
    times = []
    for _ in range(steps + 1):
        start = time.perf_counter()
        optimizer.step()
        times.append(time.perf_counter() - start)
    seconds = sorted(times[1:])[steps >> 1]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "memory": memory, "last": all[-1][-1].item()}), flush=True)
