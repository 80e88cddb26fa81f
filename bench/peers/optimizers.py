# Answers each line on standard input: seconds of a step of an optimizer over matrices of 1,000 columns.
# python optimizers.py OPTIMIZER ROWS
import json, resource, sys, time
import torch

optimizer, total = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(2)
largest = 2**16
parameters = []
for start in range(0, total, largest):
    parameter = torch.nn.Parameter(torch.full((min(largest, total - start), 1000), 0.5))
    parameter.grad = torch.full_like(parameter, 0.25)
    parameters.append(parameter)


def make():
    settings = {"lr": 1e-4, "weight_decay": 0.1}
    if optimizer == "adamw":
        return torch.optim.AdamW(parameters, fused=True, **settings)
    if optimizer == "sgd":
        return torch.optim.SGD(parameters, momentum=0.9, fused=True, **settings)
    if optimizer == "lion":
        from lion_pytorch import Lion

        return Lion(parameters, betas=(0.9, 0.99), **settings)
    from transformers.optimization import Adafactor

    return Adafactor(parameters, scale_parameter=False, relative_step=False, **settings)


made = make()
for line in sys.stdin:
    start = time.perf_counter()
    made.step()
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "memory": memory, "last": parameters[-1][-1, -1].item()}), flush=True)
