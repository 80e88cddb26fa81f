import type { Benchmark } from '../benchmark.ts';
import { readTasks } from './read-tasks.ts';
import { exampleOf, keptFields } from './row.ts';
import { scoreTasks } from './score-tasks.ts';

/** Tasks of EleutherAI's lm-evaluation-harness, by their YAML files. */
export const lmEval: Benchmark = {
  name: 'lm_eval',
  layout: {
    records: "a task's YAML, or a folder of tasks, groups and what they include; `data` is their rows",
    fields:
      '`task`, `doc` (the row), `context` (the prompt with its examples), `choices`, `target`, and how answers are written and scored',
  },
  read: readTasks,
  templates: {
    lm_eval: {
      source: "the task's own templates, with its examples",
      write: exampleOf,
      keptFields,
    },
  },
  metrics: {
    lm_eval: {
      better: 'varies',
      reads: 'row',
      measures: "The metrics of each task's `metric_list`, and of its groups.",
      source: 'lm-evaluation-harness 0.4.13',
      scoreAll: scoreTasks,
    },
  },
};
