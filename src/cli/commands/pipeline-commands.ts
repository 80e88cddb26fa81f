import { Option } from 'commander';
import type { GraphOptions } from '../graph/graph.ts';
import type { PlanOptions } from '../plan/plan.ts';
import type { CommandDeclaration } from './command-declaration.ts';
import {
  graphFormats,
  type JsonOption,
  jsonOption,
  overrideOptions,
  type PipelineOptions,
  pipelineOptions,
  type RunOptions,
  repeatable,
  wholeNumber,
} from './options.ts';

export const initCommand: CommandDeclaration<JsonOption> = {
  name: 'init',
  usage: '[folder]',
  mostWords: 1,
  summary: 'Write a small pipeline that works, to start from',
  options: [jsonOption],
  examples: [
    { line: 'tuneloom init', does: 'in this folder' },
    { line: 'tuneloom init my-project', does: 'in a new one' },
  ],
  load: () => import('../init/init.ts'),
};

export const runCommand: CommandDeclaration<RunOptions> = {
  name: 'run',
  usage: '[file] [stage...]',
  summary: 'Run the stages whose inputs changed, and reuse the rest',
  options: [
    new Option(
      '-j, --jobs <number>',
      'how many stages may run at once (default: one for each core)',
    ).argParser(wholeNumber(1)),
    repeatable('--force <stage>', 'run this stage even if nothing changed; repeatable'),
    new Option('--keep-going', 'after a failure, still run what does not depend on it'),
    new Option('--locked', 'refuse to run where a source or a stage is not what the lock says'),
    new Option('--rerun', 'run what is cached again, beside the store, and compare what it gives').conflicts([
      'force',
      'locked',
      'keepGoing',
    ]),
    new Option('--backend <name>', 'where tensors are computed').choices([
      'auto',
      'onnx',
      'tensorflow',
      'cpu',
    ]),
    ...pipelineOptions,
  ],
  examples: [
    { line: 'tuneloom run', does: 'run the only pipeline of this folder' },
    { line: 'tuneloom run pipelines/quickstart.yaml train', does: 'run `train` and what it needs' },
    { line: 'tuneloom run -p learning_rate=1e-4', does: 'try another value without an edit' },
  ],
  load: () => import('../run/run.ts'),
};

export const planCommand: CommandDeclaration<PlanOptions> = {
  name: 'plan',
  usage: '[file] [stage...]',
  summary: 'Show what a run would do and why, and change nothing',
  options: [new Option('--check', 'end with exit code 3 if anything would run'), ...pipelineOptions],
  examples: [
    { line: 'tuneloom plan', does: 'what would `tuneloom run` do now?' },
    { line: 'tuneloom plan -p epochs=3', does: 'what would another value cost?' },
    { line: 'tuneloom plan --check', does: 'for CI: fail unless everything is up to date' },
  ],
  load: () => import('../plan/plan.ts'),
};

export const explainCommand: CommandDeclaration<PipelineOptions> = {
  name: 'explain',
  usage: '[file] <stage>',
  summary: 'Show field by field how a stage differs from its nearest past run',
  options: pipelineOptions,
  examples: [
    { line: 'tuneloom explain train', does: 'why would `train` run again?' },
    { line: 'tuneloom explain pipelines/quickstart.yaml train --json', does: 'the same, for a program' },
  ],
  load: () => import('../explain/explain.ts'),
};

export const graphCommand: CommandDeclaration<GraphOptions> = {
  name: 'graph',
  usage: '[file]',
  summary: 'Draw the stages of a pipeline and what flows between them',
  options: [
    new Option('--format <format>', 'how to draw it').choices(graphFormats).default('text'),
    ...overrideOptions,
    jsonOption,
  ],
  examples: [
    { line: 'tuneloom graph', does: 'a drawing in text' },
    { line: 'tuneloom graph --format mermaid', does: 'a drawing for Markdown' },
    { line: 'tuneloom graph --format dot | dot -Tsvg > graph.svg', does: 'a picture, with Graphviz' },
  ],
  load: () => import('../graph/graph.ts'),
};

export const updateCommand: CommandDeclaration<PipelineOptions> = {
  name: 'update',
  usage: '[file] [source...]',
  summary: 'Resolve remote sources again and lock what they are now',
  options: pipelineOptions,
  examples: [
    { line: 'tuneloom update', does: 'take every hf: and https: source as it is now' },
    { line: 'tuneloom update hf:openai-community/gpt2', does: 'take this one as it is now' },
  ],
  load: () => import('../update/update.ts'),
};
