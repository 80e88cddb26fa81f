import { Option } from 'commander';
import { bundleCommands } from './bundle-commands.ts';
import type { CommandGroup } from './command-declaration.ts';
import { jsonOption, pipelineOptions } from './options.ts';

const choiceOptions = [
  new Option('--remote <name>', 'which remote (default: the only one, or the only one that runs push to)'),
  new Option('--run <run>', 'the results of a run, by its id or `latest`').conflicts('all'),
  new Option('--all', 'every result'),
];

export const sharingCommands: CommandGroup = {
  title: 'Share results:',
  commands: [
    {
      name: 'push',
      usage: '[file] [stage...]',
      summary: 'Send results to a remote, and only what it lacks',
      options: [
        ...choiceOptions,
        new Option('--check', 'ask for every file too, and send again what the remote has lost'),
        new Option('--force', 'send everything again: what is there may be damaged'),
        new Option('--dry-run', 'show what would be sent, and send nothing'),
        ...pipelineOptions,
      ],
      examples: [
        { line: 'tuneloom push', does: "this pipeline's results" },
        { line: 'tuneloom push evaluate', does: 'of `evaluate` and what it needs' },
        { line: 'tuneloom push --all --remote team', does: 'everything in the store' },
      ],
      load: async () => (await import('../push/push.ts')).pushCommand,
    },
    {
      name: 'pull',
      usage: '[file] [stage...]',
      summary: 'Fetch the files of results from the remotes that have them',
      options: [...choiceOptions, ...pipelineOptions],
      examples: [
        { line: 'tuneloom pull', does: "what this pipeline's results hold" },
        { line: 'tuneloom pull train', does: 'of `train` and what it needs' },
        { line: 'tuneloom pull --all --remote team', does: 'everything that a remote lists' },
      ],
      load: async () => (await import('../pull/pull.ts')).pullCommand,
    },
    {
      name: 'remote',
      usage: 'add <name> <url> | list | check [name]',
      mostWords: 3,
      summary: 'Add a remote to the settings, list them, or check that they can be used',
      options: [
        new Option('--push <when>', 'whether runs send their results there').choices(['auto', 'never']),
        new Option('--person', "write your own settings instead of the project's"),
        new Option('--token-from <variable>', 'the environment variable that holds its token or password'),
        new Option('--username <name>', 'of https: the user whose password the token is'),
        new Option('--endpoint <address>', "of s3: a service that is not AWS's"),
        new Option('--region <name>', 'of s3: the region of the bucket'),
        new Option('--profile <name>', "of s3: the profile of AWS's settings"),
        new Option('--write', 'of check: write a small file too, and read it back'),
        jsonOption,
      ],
      examples: [
        {
          line: 'tuneloom remote add team s3://models/tuneloom --push auto',
          does: 'a bucket that runs push to',
        },
        { line: 'tuneloom remote add stick /media/stick/results', does: 'a folder' },
        { line: 'tuneloom remote check --write', does: 'can they all be read and written?' },
      ],
      load: async () => (await import('../remote/remote.ts')).remoteCommand,
    },
    {
      name: 'key',
      usage: '',
      mostWords: 0,
      summary: 'Show the key that signs what you push',
      options: [new Option('--new', 'print a new pair for a job, and keep it nowhere'), jsonOption],
      examples: [
        { line: 'tuneloom key', does: 'the public key that others trust' },
        { line: 'tuneloom key --new', does: 'a key for continuous integration' },
      ],
      load: async () => (await import('../key/key.ts')).keyCommand,
    },
    ...bundleCommands,
  ],
};
