import { Option } from 'commander';
import type { CommandGroup } from './command-declaration.ts';
import { pipelineOptions, repeatable, wholeNumber } from './options.ts';

export const pipelineCommands: CommandGroup = {
  title: 'Run a pipeline:',
  commands: [
    {
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
        new Option('--locked', 'fail if a source or a stage differs from the lock'),
        new Option('--no-remote', "look for results in this machine's stores alone"),
        new Option('--rerun', 'run cached stages again in a scratch store and compare the results').conflicts(
          ['force', 'locked', 'keepGoing', 'executor'],
        ),
        new Option(
          '-y, --yes',
          'approve the code of a pipeline that `tuneloom open` fetched, without asking',
        ),
        new Option('--executor <name>', 'run the stages on this machine or cluster of the settings'),
        new Option('--shards <number>', 'divide the prompts of `generate` among this many jobs').argParser(
          wholeNumber(1),
        ),
        new Option('--backend <name>', 'where tensors are computed').choices([
          'auto',
          'onnx',
          'webgpu',
          'cuda',
          'tensorflow',
          'cpu',
        ]),
        new Option('--watch', 'run again whenever the pipeline, its data or its code changes').conflicts([
          'rerun',
          'locked',
        ]),
        repeatable(
          '--track <tool=place>',
          'also write losses and scores to tensorboard=FOLDER or mlflow=ADDRESS while it runs; repeatable',
        ).conflicts('rerun'),
        ...pipelineOptions,
      ],
      examples: [
        { line: 'tuneloom run', does: 'run the pipeline of this folder' },
        { line: 'tuneloom run pipelines/quickstart.yaml train', does: 'run `train` and what it needs' },
        { line: 'tuneloom run -p learning_rate=1e-4', does: 'try another value without an edit' },
      ],
      load: async () => (await import('../run/run.ts')).runCommand,
    },
    {
      name: 'plan',
      usage: '[file] [stage...]',
      summary: 'Show what a run would do and why, and change nothing',
      options: [
        new Option('--check', 'end with exit code 3 if anything would run'),
        new Option('--remote', 'also ask the remotes of the settings, which uses the network'),
        ...pipelineOptions,
      ],
      examples: [
        { line: 'tuneloom plan', does: 'what would `tuneloom run` do now?' },
        { line: 'tuneloom plan -p epochs=3', does: 'what would another value cost?' },
        { line: 'tuneloom plan --check', does: 'for CI: fail unless everything is up to date' },
      ],
      load: async () => (await import('../plan/plan.ts')).planCommand,
    },
    {
      name: 'explain',
      usage: '[file] <stage>',
      summary: 'Show field by field how a stage differs from its nearest past run',
      options: pipelineOptions,
      examples: [
        { line: 'tuneloom explain train', does: 'why would `train` run again?' },
        { line: 'tuneloom explain pipelines/quickstart.yaml train --json', does: 'the same, for a program' },
      ],
      load: async () => (await import('../explain/explain.ts')).explainCommand,
    },
    {
      name: 'update',
      usage: '[file] [source...]',
      summary: 'Resolve remote sources again and update the lock',
      options: pipelineOptions,
      examples: [
        { line: 'tuneloom update', does: 'resolve every hf: and https: source again' },
        { line: 'tuneloom update hf:openai-community/gpt2', does: 'resolve this one again' },
      ],
      load: async () => (await import('../update/update.ts')).updateCommand,
    },
  ],
};
