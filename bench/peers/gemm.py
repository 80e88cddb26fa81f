# Answers each line of JSON on standard input: seconds of a product of two matrices, the median of `rounds`.
import json, sys, time
import torch

torch.set_num_threads(2)
for line in sys.stdin:
    m, k, n, rounds = (json.loads(line)[name] for name in ("m", "k", "n", "rounds"))
    a, b = torch.ones(m, k), torch.ones(k, n)
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - start)
    print(json.dumps({"seconds": sorted(times)[rounds // 2]}), flush=True)
