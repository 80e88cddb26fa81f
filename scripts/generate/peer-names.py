"""Writes peer-names.json: the names of the fields of other programs' configurations, by which docs/coming-from.md attributes them.

Usage: python peer-names.py AXOLOTL LLAMA_FACTORY TRL TRANSFORMERS LM_EVAL
The arguments are folders with the programs' sources: axolotl 067b021c (src/axolotl), LLaMA-Factory ff6d4d12
(src/llamafactory), trl 1.16.0 (trl), transformers 4.57.6 (transformers), lm-evaluation-harness 0.4 (lm_eval).
"""

import ast
import json
import pathlib
import sys


def fields(paths):
    """The annotated names in the bodies of classes."""
    names = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                for item in node.body:
                    if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                        if not item.target.id.startswith("_"):
                            names.add(item.target.id)
    return names


axolotl, llama_factory, trl, transformers, lm_eval = (pathlib.Path(name) for name in sys.argv[1:])
trainer = fields([transformers / "training_args.py"])
result = {
    "axolotl": fields((axolotl / "utils/schemas").glob("*.py")),
    # Its parser knows the fields of dataset_info.json.
    "LLaMA-Factory": fields([*(llama_factory / "hparams").glob("*.py"), llama_factory / "data/parser.py"])
    | trainer,
    "trl": fields(p for p in (trl / "trainer").glob("*config*.py"))
    | fields([trl / "scripts/utils.py"])
    | trainer,
    "lm-eval": fields([lm_eval / "config/task.py"]) if (lm_eval / "config/task.py").exists() else fields([lm_eval / "api/task.py"]),
}
out = pathlib.Path(__file__).with_name("peer-names.json")
out.write_text(json.dumps({name: sorted(found) for name, found in result.items()}, indent=0) + "\n")
print({name: len(found) for name, found in result.items()})
