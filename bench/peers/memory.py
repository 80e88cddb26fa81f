# Peak memory and speed of training a model folder on the processor, with transformers and peft.
# python memory.py FOLDER BATCHES.json full|lora float32|bfloat16|nf4 [checkpoints]
import json, resource, sys, time
import torch
from transformers import AutoModelForCausalLM

folder, batches_file, kind, base = sys.argv[1:5]
torch.set_num_threads(2)
given = json.load(open(batches_file))
if base == "nf4":
    from transformers import BitsAndBytesConfig

    four_bits = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.float32)
    model = AutoModelForCausalLM.from_pretrained(folder, quantization_config=four_bits, device_map="cpu")
else:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, base))
if kind == "lora":
    from peft import LoraConfig, get_peft_model

    model = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"))
if "checkpoints" in sys.argv:
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    model.enable_input_require_grads()
model.train()
for module in model.modules():
    if isinstance(module, torch.nn.Dropout):
        module.p = 0.0
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=5e-5, weight_decay=0.1)

tokens = seconds = 0
for step, batch in enumerate(given["batches"]):
    width = max(len(row) for row in batch)
    inputs = torch.tensor([row + [50256] * (width - len(row)) for row in batch])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in batch])
    start = time.perf_counter()
    optimizer.zero_grad()
    loss = model(input_ids=inputs, attention_mask=mask, labels=inputs.masked_fill(mask == 0, -100)).loss
    loss.backward()
    optimizer.step()
    seconds += time.perf_counter() - start
    tokens += sum(len(row) for row in batch)
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"memory": memory, "tokensPerSecond": round(tokens / seconds, 1), "loss": loss.item()}))
