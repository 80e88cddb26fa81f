# Answers each line of JSON on standard input: a subject's questions, scored by lm-evaluation-harness.
# choices.py MODEL ROWS BATCH    a model's folder, and one with SUBJECT-test.jsonl and SUBJECT-dev.jsonl
import contextlib, json, os, resource, sys, tempfile, time

os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"
import lm_eval
import torch
import yaml
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

folder, rows = sys.argv[1:3]
torch.set_num_threads(2)
out = sys.stdout
# The harness prints progress and tables.
sys.stdout = sys.stderr


def answer(value):
    print(json.dumps(value), file=out, flush=True)


def task(subject, tasks):
    """The harness's own template of MMLU on rows of this machine."""
    config = {
        "task": f"choices_{subject}",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {split: f"{rows}/{subject}-{split}.jsonl" for split in ("test", "dev")}},
        "test_split": "test",
        "fewshot_split": "dev",
        "fewshot_config": {"sampler": "first_n"},
        "num_fewshot": 5,
        "output_type": "multiple_choice",
        "description": f"The following are multiple choice questions (with answers) about {subject.replace('_', ' ')}.\n\n",
        "doc_to_text": "{{question.strip()}}\nA. {{choices[0]}}\nB. {{choices[1]}}\nC. {{choices[2]}}\nD. {{choices[3]}}\nAnswer:",
        "doc_to_choice": ["A", "B", "C", "D"],
        "doc_to_target": "answer",
        "metadata": {"version": 1},
    }
    with open(f"{tasks}/{subject}.yaml", "w") as file:
        yaml.safe_dump(config, file)
    return config["task"]


def score(model, subject):
    with tempfile.TemporaryDirectory() as tasks:
        name = task(subject, tasks)
        manager = TaskManager(include_path=tasks, include_defaults=False)
        start = time.perf_counter()
        result = lm_eval.simple_evaluate(
            model=model, tasks=[name], task_manager=manager, log_samples=True, bootstrap_iters=0
        )
        seconds = time.perf_counter() - start
    samples = sorted(result["samples"][name], key=lambda sample: sample["doc_id"])
    prompts = [sample["arguments"][0][0] for sample in samples]
    shared = os.path.commonprefix(prompts)
    tokens = lambda text: len(model.tok_encode(text))
    return {
        "seconds": seconds,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "accuracy": result["results"][name]["acc,none"],
        "log_likelihoods": [float(response[0][0]) for sample in samples for response in sample["resps"]],
        "tokens": sum(map(tokens, prompts)),
        "shared_tokens": tokens(shared),
    }


model = HFLM(pretrained=folder, dtype="float32", device="cpu", batch_size=int(sys.argv[3]))
for line in sys.stdin:
    request = json.loads(line)
    answer(score(model, request["subject"]) if "subject" in request else "ready")
