"""Whether tuneloom and lm-evaluation-harness give the same model the same scores.

python bench/peers/lm-eval.py MODEL [DATA]

MODEL is a folder in Hugging Face's layout or a GGUF file, DATA the folder with mmlu, glue and bbh (../shared/data).
Both read the same rows: choices (MMLU with two shots, SST-2), written answers (BIG-Bench-Hard) and whole texts. Build
first: npm run build. Needs lm-eval, transformers and torch.
"""

import csv
import glob
import json
import os
import subprocess
import sys
import tempfile

import lm_eval
import torch
import yaml
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WINDOW = 128


def first_rows(data):
    """The rows by task, as lm-eval reads them; tuneloom reads the same ones from the original files."""
    with open(glob.glob(f"{data}/mmlu/test/world_religions_test.csv")[0]) as file:
        mmlu = [row for row in csv.DictReader(file)][:30]
    with open(f"{data}/mmlu/dev/world_religions_dev.csv") as file:
        shots = [row for row in csv.DictReader(file)][:2]
    layout = lambda row: {
        "question": row["question"],
        "choices": [row[f"choice{i}"] for i in range(4)],
        "answer": int(row["answer"]),
    }
    with open(f"{data}/glue/SST-2/dev.tsv") as file:
        sst2 = [line.rstrip("\n").split("\t") for line in file][1:81]
    with open(f"{data}/bbh/boolean_expressions.json") as file:
        bbh = json.load(file)["examples"][:15]
    texts = [{"text": row["question"] + " " + " ".join(layout(row)["choices"])} for row in mmlu[:5]]
    with open(glob.glob(f"{data}/mmlu/test/high_school_european*")[0]) as file:
        texts += [{"text": row["question"]} for row in list(csv.DictReader(file))[:3]]
    return {
        "mmlu": ([layout(row) for row in mmlu], [layout(row) for row in shots]),
        "sst2": ([{"sentence": sentence, "label": int(label)} for sentence, label in sst2], None),
        "bbh": (bbh, None),
        "rolling": (texts, None),
    }


TASKS = {
    "mmlu": {
        "output_type": "multiple_choice",
        "num_fewshot": 2,
        "fewshot_config": {"sampler": "first_n"},
        "fewshot_split": "dev",
        "description": "The following are multiple choice questions (with answers) about world religions.\n\n",
        "doc_to_text": "{{question.strip()}}\nA. {{choices[0]}}\nB. {{choices[1]}}\nC. {{choices[2]}}\nD. {{choices[3]}}\nAnswer:",
        "doc_to_choice": ["A", "B", "C", "D"],
        "doc_to_target": "answer",
    },
    "sst2": {
        "output_type": "multiple_choice",
        "doc_to_text": "{{sentence}}\nQuestion: Is this sentence positive or negative?\nAnswer:",
        "doc_to_choice": ["negative", "positive"],
        "doc_to_target": "label",
    },
    "bbh": {
        "output_type": "generate_until",
        "doc_to_text": "Q: {{input}}\nA:",
        "doc_to_target": "{{target}}",
        "generation_kwargs": {"until": ["\n\n", "Q:"], "max_gen_toks": 8, "do_sample": False},
        "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
        "filter_list": [{"name": "strip", "filter": [{"function": "remove_whitespace"}, {"function": "take_first"}]}],
    },
    "rolling": {
        "output_type": "loglikelihood_rolling",
        "doc_to_text": "",
        "doc_to_target": "{{text}}",
        "metric_list": [{"metric": metric} for metric in ("word_perplexity", "byte_perplexity", "bits_per_byte")],
    },
}


def write_tasks(folder, rows):
    for name, (test, dev) in rows.items():
        files = {"test": f"{folder}/{name}.jsonl", **({"dev": f"{folder}/{name}-dev.jsonl"} if dev else {})}
        for split, path in files.items():
            with open(path, "w") as file:
                file.writelines(json.dumps(row) + "\n" for row in (test if split == "test" else dev))
        config = {
            "task": f"peer_{name}",
            "dataset_path": "json",
            "dataset_kwargs": {"data_files": files},
            "test_split": "test",
            "metadata": {"version": 1},
            **TASKS[name],
        }
        with open(f"{folder}/{name}.yaml", "w") as file:
            yaml.safe_dump(config, file)


def pipeline(model, data, folder):
    stage = lambda uses, source, settings: {"uses": uses, **({"from": source} if source else {}), "with": settings}
    choices = lambda prompts: stage("generate", {"model": "model", "prompts": prompts}, {"mode": "choices"})
    return {
        "name": "peers",
        "stages": {
            "model": stage("load", None, {"model": model}),
            "mmlu-rows": stage("load", None, {"records": f"{data}/mmlu", "as": "mmlu", "tasks": ["world_religions"], "limit": 30}),
            "mmlu-dev": stage("load", None, {"records": f"{data}/mmlu", "as": "mmlu", "split": "dev", "tasks": ["world_religions"]}),
            "mmlu-format": stage("format", {"records": "mmlu-rows", "shots": "mmlu-dev"}, {"template": "mmlu-harness", "shots": {"count": 2}}),
            "mmlu": choices("mmlu-format"),
            "mmlu-scores": stage("evaluate", "mmlu", {"metrics": ["accuracy"]}),
            "sst2-rows": stage("load", None, {"records": f"{data}/glue", "as": "glue", "tasks": ["sst-2"], "limit": 80}),
            "sst2-format": stage("format", "sst2-rows", {"template": "glue"}),
            "sst2": choices("sst2-format"),
            "sst2-scores": stage("evaluate", "sst2", {"metrics": ["accuracy", "accuracy_per_character", "accuracy_per_byte"]}),
            "bbh-rows": stage("load", None, {"records": f"{data}/bbh", "as": "bbh", "tasks": ["boolean_expressions"], "limit": 15}),
            "bbh-format": stage("format", "bbh-rows", {"template": "bbh"}),
            "bbh": stage("generate", {"model": "model", "prompts": "bbh-format"}, {"max_new_tokens": 8, "stop": ["\n\n", "Q:"]}),
            "bbh-scores": stage("evaluate", "bbh", {"metrics": ["exact_match"]}),
            "rolling-rows": stage("load", None, {"records": f"{folder}/rolling.jsonl"}),
            "rolling-format": stage("format", "rolling-rows", {"template": "completion"}),
            "rolling": stage("generate", {"model": "model", "prompts": "rolling-format"}, {"mode": "rolling", "window": WINDOW, "batch_size": 1}),
            "rolling-scores": stage("evaluate", "rolling", {"metrics": ["word_perplexity", "byte_perplexity", "bits_per_byte"]}),
        },
    }


def read_lines(path):
    with open(path) as file:
        return [json.loads(line) for line in file]


def run_tuneloom(model, data, folder):
    with open(f"{folder}/peers.yaml", "w") as file:
        yaml.safe_dump(pipeline(model, data, folder), file, sort_keys=False)
    with open(f"{folder}/package.json", "w") as file:
        file.write("{}")
    subprocess.run(["node", f"{ROOT}/dist/tuneloom.js", "run", f"{folder}/peers.yaml"], check=True, cwd=folder, stdout=sys.stderr)
    outputs = f"{folder}/artifacts/outputs/peers"
    scores = {}
    for name in TASKS:
        with open(f"{outputs}/{name}-scores/scores") as file:
            scores[name] = {score["metric"]: score["value"] for score in json.load(file)["metrics"]}
    return outputs, scores, {name: read_lines(f"{outputs}/{name}/responses") for name in TASKS}


def end_of_text(folder):
    """The token that tuneloom puts before a text: the tokenizer's end of text."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder).eos_token_id


def main(model, data):
    torch.set_num_threads(2)
    data = os.path.abspath(data)
    with tempfile.TemporaryDirectory() as folder:
        rows = first_rows(data)
        write_tasks(folder, rows)
        outputs, ours, responses = run_tuneloom(os.path.abspath(model), data, folder)
        pretrained = f"{outputs}/model/model"
        peer = HFLM(pretrained=pretrained, dtype="float32", device="cpu", batch_size=8, prefix_token_id=end_of_text(pretrained))
        evaluate = lambda names: lm_eval.simple_evaluate(
            model=peer,
            tasks=[f"peer_{name}" for name in names],
            task_manager=TaskManager(include_path=folder, include_defaults=False),
            log_samples=True,
            bootstrap_iters=0,
        )
        first = evaluate(["mmlu", "sst2", "bbh"])
        peer._max_length = WINDOW
        rolled = evaluate(["rolling"])
        theirs = {**first["results"], **rolled["results"]}
        samples = {**first["samples"], **rolled["samples"]}

        def figure(task, metric):
            return next(value for name, value in theirs[f"peer_{task}"].items() if name.split(",")[0] == metric)

        names = {"accuracy": "acc", "accuracy_per_character": "acc_norm", "accuracy_per_byte": "acc_bytes"}
        print(f"{'task':8} {'metric':24} {'tuneloom':>14} {'lm-eval':>14}")
        for task, metrics in ours.items():
            for metric, value in metrics.items():
                try:
                    other = f"{figure(task, names.get(metric, metric)):14.8f}"
                except StopIteration:
                    other = f"{'-':>14}"
                print(f"{task:8} {metric:24} {value:14.8f} {other}")
        for task in ("mmlu", "sst2"):
            pairs = [
                (choice["log_likelihood"], float(resp[0][0]))
                for response, sample in zip(responses[task], sorted(samples[f"peer_{task}"], key=lambda one: one["doc_id"]))
                for choice, resp in zip(response["choices"], sample["resps"])
            ]
            print(f"{task}: {len(pairs)} log-likelihoods, largest difference {max(abs(a - b) for a, b in pairs):.2e}")
        pairs = [
            (response["response"], sample["filtered_resps"][0].strip())
            for response, sample in zip(responses["bbh"], sorted(samples["peer_bbh"], key=lambda one: one["doc_id"]))
        ]
        print(f"bbh: {sum(a == b for a, b in pairs)} of {len(pairs)} answers are the same")
        pairs = [
            (response["log_likelihood"], float(sample["resps"][0][0] if isinstance(sample["resps"][0], (list, tuple)) else sample["resps"][0]))
            for response, sample in zip(responses["rolling"], sorted(samples["peer_rolling"], key=lambda one: one["doc_id"]))
        ]
        print(f"rolling: {len(pairs)} texts, largest difference {max(abs(a - b) for a, b in pairs):.2e} of {max(abs(a) for a, _ in pairs):.0f}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else f"{ROOT}/../shared/data")
