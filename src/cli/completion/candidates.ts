import type { Option } from 'commander';
import { listRuns } from '../../runtime/index.ts';
import type { CommandContext, CommandDeclaration } from '../commands/command-declaration.ts';
import { storeOf } from '../open-settings.ts';
import { type Candidate, readNames } from './pipeline-names.ts';

/** What may stand in place of the last of the words after `tuneloom`, which may be empty or unfinished. */
export async function candidatesFor(
  words: readonly string[],
  context: CommandContext,
): Promise<readonly Candidate[]> {
  const { commands = [] } = context;
  const current = words.at(-1) ?? '';
  const all = await allCandidates(words.slice(0, -1), { current, commands, context });
  return all.filter(({ value }) => value === FILES.value || value.startsWith(current));
}

const FILES: Candidate = { value: ':files' };

async function allCandidates(
  before: readonly string[],
  {
    current,
    commands,
    context,
  }: {
    readonly current: string;
    readonly commands: readonly CommandDeclaration[];
    readonly context: CommandContext;
  },
): Promise<readonly Candidate[]> {
  const [name, ...typed] = before;
  if (name === undefined)
    return [
      ...commands.map(({ name, summary }) => ({ value: name, description: summary })),
      { value: '--help', description: 'show help' },
      { value: '--version', description: 'print the version' },
    ];
  const command = commands.find((each) => each.name === name);
  if (command === undefined) return [];
  const { options, usage } = command;
  const { positions, wanting } = splitTyped(typed, options);
  const pipeline = positions[0] !== undefined && isFile(positions[0]) ? positions[0] : undefined;
  const read = () => readNames({ file: pipeline, workingDirectory: context.workingDirectory });
  if (wanting !== undefined) return valuesOf(wanting, read);
  if (current.startsWith('-'))
    return [...options.flatMap(flagsOf), { value: '--help', description: 'show help' }];
  const names = pipeline === undefined ? positions : positions.slice(1);
  const { files, stages } = await read();
  const ofFile = usage.includes('[file]') && positions.length === 0 ? files.map((value) => ({ value })) : [];
  const rest = await ofPosition(usage, { names, stages, context, file: pipeline });
  return [...rest, ...ofFile];
}

const isFile = (word: string): boolean => /\.ya?ml$/i.test(word);

/** The words that are no options, and the option that waits for its value. */
function splitTyped(typed: readonly string[], options: readonly Option[]) {
  const positions: string[] = [];
  let wanting: Option | undefined;
  for (const word of typed) {
    if (wanting !== undefined) {
      wanting = undefined;
      continue;
    }
    if (!word.startsWith('-')) {
      positions.push(word);
      continue;
    }
    const option = options.find(({ short, long }) => word === short || word === long);
    if (option?.required) wanting = option;
  }
  return { positions, wanting };
}

const flagsOf = ({ short, long, description }: Option): readonly Candidate[] =>
  [long, short].flatMap((value) => (value ? [{ value, description }] : []));

type ReadNames = () => ReturnType<typeof readNames>;

/** The values of an option. */
async function valuesOf(option: Option, read: ReadNames): Promise<readonly Candidate[]> {
  if (option.argChoices !== undefined) return option.argChoices.map((value) => ({ value }));
  const placeholder = /<([^>]+)>/.exec(option.flags)?.[1];
  switch (placeholder) {
    case 'name=value':
      return (await read()).params.map(({ name, value }) => ({
        value: `${name}=`,
        description: `now ${value}`,
      }));
    case 'stage':
      return (await read()).stages;
    case 'tool=place':
      return [{ value: 'tensorboard=' }, { value: 'mlflow=' }];
    case 'file':
    case 'folder':
    case 'place':
      return [FILES];
    default:
      return [];
  }
}

/** What a command takes after its file, as its usage names it: stages, runs, one of several words, a folder. */
async function ofPosition(
  usage: string,
  {
    names,
    stages,
    context,
    file,
  }: {
    readonly names: readonly string[];
    readonly stages: readonly Candidate[];
    readonly context: CommandContext;
    readonly file: string | undefined;
  },
): Promise<readonly Candidate[]> {
  const places = usage
    .replace('[file]', '')
    .trim()
    .split(/\s+(?=[<[])/);
  const last = places.at(-1) ?? '';
  const place = places[names.length] ?? (last.includes('...') ? last : '');
  const words = /^<([\w-]+(?:\|[\w-]+)+)>$/.exec(place)?.[1];
  if (words !== undefined && !words.includes('stage')) return words.split('|').map((value) => ({ value }));
  if (place.includes('stage')) return stages;
  if (place.includes('[run')) return await pastRuns(context, file);
  return place.includes('folder') ? [FILES] : [];
}

const MOST_RUNS = 20;

async function pastRuns(context: CommandContext, file: string | undefined): Promise<readonly Candidate[]> {
  const store = await storeOf({ file, options: {}, context });
  const runs: Candidate[] = [{ value: 'latest', description: 'the last run' }];
  for (const { run, pipeline, outcome } of listRuns(store)) {
    runs.push({ value: run, description: `${pipeline}, ${outcome}` });
    if (runs.length > MOST_RUNS) break;
  }
  return runs;
}
