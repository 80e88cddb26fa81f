import { Option } from 'commander';
import { parseDuration, parseMemory } from '../../runtime/index.ts';
import type { CommandGroup } from './command-declaration.ts';
import { jsonOption, quantity, storeOption } from './options.ts';

const thirtyDays = 30 * 24 * 60 * 60 * 1000;

export const projectCommands: CommandGroup = {
  title: 'Start and check:',
  commands: [
    {
      name: 'init',
      usage: '[folder]',
      mostWords: 1,
      summary: "Write a small working pipeline to start from, or another program's training as one",
      options: [
        new Option('--from <file>', "make the pipeline of axolotl's or LLaMA-Factory's YAML file"),
        jsonOption,
      ],
      examples: [
        { line: 'tuneloom init', does: 'in this folder' },
        { line: 'tuneloom init my-project', does: 'in a new one' },
        { line: 'tuneloom init tuned --from axolotl.yaml', does: 'what another program would train' },
      ],
      load: async () => (await import('../init/init.ts')).initCommand,
    },
    {
      name: 'schema',
      usage: '[stage | settings]',
      mostWords: 1,
      summary: "Print the JSON Schema of pipeline files, of settings, or of one stage's fields",
      options: [jsonOption],
      examples: [
        { line: 'tuneloom schema > pipeline.schema.json', does: "for an editor's completion and checks" },
        { line: 'tuneloom schema train', does: 'every field of `train`, with its default' },
        { line: 'tuneloom schema settings', does: 'every field of .tuneloom/settings.yaml' },
      ],
      load: async () => (await import('../schema/schema.ts')).schemaCommand,
    },
    {
      name: 'verify',
      usage: '[file]',
      mostWords: 1,
      summary: 'Check everything in the store against its digest',
      options: [storeOption, jsonOption],
      examples: [
        { line: 'tuneloom verify', does: "check this project's store" },
        { line: 'tuneloom verify ../other/pipeline.yaml', does: "check another project's" },
        { line: 'tuneloom verify --store /mnt/shared/artifacts', does: 'check another one' },
      ],
      load: async () => (await import('../verify/verify.ts')).verifyCommand,
    },
    {
      name: 'gc',
      usage: '[file]',
      mostWords: 1,
      summary: 'Remove results that have not been used for a long time',
      options: [
        new Option(
          '--older-than <time>',
          'remove what has not been used for this long, as 30d or 12h; at least a day',
        )
          .argParser(quantity(parseDuration, '30d or 12h'))
          .default(thirtyDays, '30d'),
        new Option(
          '--max-size <size>',
          'shrink the store to this size, as 50GB, least recently used first',
        ).argParser(quantity(parseMemory, '50GB or 500MiB')),
        new Option('--dry-run', 'show what would be removed, and what is kept and why; remove nothing'),
        new Option('-y, --yes', 'remove without asking'),
        storeOption,
        jsonOption,
      ],
      examples: [
        { line: 'tuneloom gc --dry-run', does: 'what would be removed, and what is kept and why?' },
        { line: 'tuneloom gc --older-than 7d', does: 'remove what has not been used for a week' },
        { line: 'tuneloom gc --max-size 50GB --yes', does: 'for a nightly job' },
      ],
      load: async () => (await import('../gc/gc.ts')).gcCommand,
    },
    {
      name: 'doctor',
      usage: '[file]',
      mostWords: 1,
      summary: 'Show what this machine offers, and what is missing',
      options: [storeOption, jsonOption],
      examples: [
        { line: 'tuneloom doctor', does: 'check the machine, the backends, the store and the settings' },
        { line: 'tuneloom doctor --json', does: 'the same, to attach to a report' },
      ],
      load: async () => (await import('../doctor/doctor.ts')).doctorCommand,
    },
    {
      name: 'setup',
      usage: '<cuda|tensorflow>',
      mostWords: 1,
      summary: 'Install an engine that is not part of the package',
      options: [
        new Option('--cuda', 'tensorflow: for an NVIDIA GPU (default: where one is found)').conflicts('cpu'),
        new Option('--cpu', 'tensorflow: for the CPU only'),
        new Option(
          '--from <place>',
          "tensorflow: download it from the engine's own storage, or build it against PyPI's libraries",
        ).choices(['storage', 'pypi']),
        jsonOption,
      ],
      examples: [
        { line: 'tuneloom setup cuda', does: 'install ONNX Runtime on CUDA, for an NVIDIA GPU' },
        { line: 'tuneloom setup tensorflow', does: 'install TensorFlow, with CUDA if there is a GPU' },
        { line: 'tuneloom setup tensorflow --cpu', does: 'without CUDA: 1 GB instead of 8' },
      ],
      load: async () => (await import('../setup/setup.ts')).setupCommand,
    },
    {
      name: 'worker',
      usage: '',
      mostWords: 0,
      summary: 'Run the stages that an ssh executor of another machine sends',
      options: [storeOption],
      isHidden: true,
      examples: [
        { line: 'ssh gpu-box tuneloom worker --store /data/tuneloom', does: 'what an executor starts' },
      ],
      load: async () => (await import('../worker/worker.ts')).workerCommand,
    },
    {
      name: 'completion',
      usage: '<bash|zsh|fish>',
      summary: 'Print a script that completes commands, options, stages, params and runs',
      options: [],
      examples: [
        { line: 'source <(tuneloom completion bash)', does: 'in ~/.bashrc; zsh in ~/.zshrc' },
        { line: 'tuneloom completion fish | source', does: 'in ~/.config/fish/config.fish' },
      ],
      load: async () => (await import('../completion/completion.ts')).completionCommand,
    },
  ],
};
