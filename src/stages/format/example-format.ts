import { benchmarkTemplate, type Example, type ExampleTemplate, textList } from '../../benchmarks/index.ts';
import { isObject, type JsonObject, jsonText, RandomStream, UserError } from '../../core/index.ts';
import type { FormatConfig } from '../../generated/format-config.ts';
import {
  type DataRecord,
  type FormattedRecord,
  jinjaTemplate,
  namedTemplates,
  openTokenizer,
  type Segment,
  type SegmentRole,
  segmentsOf,
  startToken,
  type Tokenizer,
  type Unshown,
} from '../../text/index.ts';
import type { TemplateKind } from './template-kind.ts';

/** What a template is given of a record. */
export interface FormatRow {
  readonly id: string;
  readonly row: JsonObject;
}

/** Writes a record: its segments, and the choices for an answer. */
export type RecordFormat = (record: FormatRow) => Omit<FormattedRecord, 'id' | 'fields'> & {
  /** What of the row goes along; all of it if undefined. */
  readonly fields?: JsonObject;
  /** What the row says and the text does not show; undefined if the template takes of a row what it wants. */
  readonly unshown?: readonly Unshown[];
  /** The layout of the row that was found, in words; undefined where the template says which fields it reads. */
  readonly layout?: string | undefined;
};

export interface FormatInputs {
  /** The tokenizer's folder, if there is one. */
  readonly tokenizer: string | undefined;
  /** The records that shots are made of; undefined without shots. */
  readonly shots: readonly DataRecord[] | undefined;
  /** What a chat template writes for a question and an answer of one letter, if the text becomes its turns. */
  readonly wrapper?: readonly Segment[] | undefined;
}

type Shots = NonNullable<FormatConfig['shots']>;

/** Writes each record as a question after its shots. */
export async function exampleFormat(
  { shots }: Pick<FormatConfig, 'shots'>,
  {
    template,
    tokenizer: folder,
    shots: sources = [],
    wrapper,
  }: FormatInputs & { readonly template: ExampleTemplate },
): Promise<RecordFormat> {
  const tokenizer = folder === undefined ? undefined : await openTokenizer(folder);
  const most = shots?.fit_tokens;
  const fits =
    tokenizer && most !== undefined
      ? tokenBudget(tokenizer, most - tokensAround(tokenizer, wrapper))
      : () => true;
  const groups = shots === undefined ? undefined : groupedExamples(sources, template);
  return ({ id, row }) => {
    const example = template.write(row);
    const others = (groups?.get(template.group?.(row) ?? '') ?? []).filter(
      ({ prompt }) => prompt !== example.prompt,
    );
    const picked = shots === undefined ? [] : pick(others, { shots, id });
    const written = withShots({ template, row, example, shots: picked, fits });
    const isShared = written.shots > 0 && shots?.pick !== 'random';
    const shared = isShared ? written.sharedCharacters : example.sharedCharacters;
    return {
      segments: written.segments,
      ...(written.choices && { choices: written.choices }),
      ...(shared !== undefined && { shared_characters: shared }),
      ...(example.generation && { generation: example.generation }),
      ...(template.keptFields && { fields: template.keptFields(row) }),
    };
  };
}

/** How many tokens come besides those of the text: the beginning of a text, or a chat template's around the turns. */
const tokensAround = (tokenizer: Tokenizer, wrapper: readonly Segment[] | undefined): number => {
  if (wrapper !== undefined) return tokenizer.encode(wrapper).length;
  return startToken(tokenizer, { bos: 'auto', isChat: false }) === undefined ? 0 : 1;
};

function groupedExamples(
  records: readonly DataRecord[],
  template: ExampleTemplate,
): ReadonlyMap<string, readonly Example[]> {
  const groups = new Map<string, Example[]>();
  for (const record of records) {
    const row = rowOf(record);
    const group = template.group?.(row) ?? '';
    const example = template.write(row);
    if (example.response === '')
      throw new UserError({
        code: 'shot-without-answer',
        message: `the record ${record.id} cannot be a shot: it has no answer`,
        help: 'give the template a `response`, or bind other records to the port `shots`',
      });
    const examples = groups.get(group) ?? [];
    examples.push(example);
    groups.set(group, examples);
  }
  return groups;
}

/** The shots of one question, in their order. */
function pick(
  examples: readonly Example[],
  { shots, id }: { readonly shots: Shots; readonly id: string },
): readonly Example[] {
  if (shots.pick === 'first') return examples.slice(0, shots.count);
  const random = new RandomStream(['shots', shots.seed, id]);
  const left = [...examples];
  return Array.from({ length: Math.min(shots.count, left.length) }, () =>
    left.splice(Math.floor(random.uniform() * left.length), 1),
  ).flat();
}

/** The template as one that shots can precede, with the configuration's overrides. */
export function exampleTemplateOf(
  { description, shots }: FormatConfig,
  template: Exclude<TemplateKind, { kind: 'chat' }>,
): ExampleTemplate {
  const own = ownTemplate(template);
  const described = description === undefined ? undefined : textTemplate(description);
  const { separator, by } = shots ?? {};
  return {
    ...own,
    ...(described && { description: described }),
    ...(separator !== undefined && { separator: () => separator }),
    ...(by !== undefined && { group: (row) => jsonText(row[by] ?? null) }),
  };
}

function ownTemplate(template: Exclude<TemplateKind, { kind: 'chat' }>): ExampleTemplate {
  switch (template.kind) {
    case 'benchmark':
      return benchmarkTemplate(template.name);
    case 'named': {
      const write = namedTemplates[template.name];
      return { write: (row) => exampleOf(write(row)) };
    }
    case 'written': {
      const { choices, ...sources } = template.sources;
      const write = jinjaTemplate(sources);
      const choicesOf = choices === undefined ? undefined : choiceWriter(choices);
      return {
        write: (row) => ({ ...exampleOf(write(row)), ...(choicesOf && { choices: choicesOf(row) }) }),
      };
    }
    default:
      return template satisfies never;
  }
}

function exampleOf(segments: readonly Segment[]): Example {
  const textOf = (role: SegmentRole) => segments.find((segment) => segment.role === role)?.text ?? '';
  return { prompt: textOf('prompt'), header: textOf('header'), response: textOf('response') };
}

function choiceWriter(choices: string | readonly string[]): (row: JsonObject) => readonly string[] {
  if (typeof choices === 'string') return (row) => textList(row, choices);
  const templates = choices.map(textTemplate);
  return (row) => templates.map((template) => template(row));
}

function textTemplate(source: string): (row: JsonObject) => string {
  const template = jinjaTemplate({ prompt: source, header: '', response: '' });
  return (row) => exampleOf(template(row)).prompt;
}

interface ShotPrompt {
  readonly segments: readonly Segment[];
  readonly choices: readonly string[] | undefined;
  /** The number of characters before the question, which all questions with the same shots share. */
  readonly sharedCharacters: number;
  readonly shots: number;
}

interface Question {
  readonly template: ExampleTemplate;
  readonly row: JsonObject;
  readonly example: Example;
  /** Examples of other rows, the most important first. */
  readonly shots: readonly Example[];
  /** Whether a text, given in pieces, is short enough. */
  readonly fits: (pieces: readonly string[]) => boolean;
}

/** A question after the first shots, as many as fit with the longest response or choice. */
export function withShots({ template, row, example, shots, fits }: Question): ShotPrompt {
  const separator = template.separator?.(row) ?? '\n\n';
  const description = template.description?.(row) ?? '';
  const { prompt, header, response, choices } = example;
  const longest = [response, ...(choices ?? [])].reduce((a, b) => (b.length > a.length ? b : a));
  const solved = shots.map((shot) => shot.prompt + shot.header + shot.response + separator);
  let count = shots.length;
  while (count > 0 && !fits([description, ...solved.slice(0, count), prompt + header + longest])) count -= 1;
  const before = description + solved.slice(0, count).join('');
  return {
    segments: segmentsOf({ prompt: before + prompt, header, response }),
    choices,
    sharedCharacters: before.length,
    shots: count,
  };
}

/** Joining two pieces changes their number of tokens by this much at most. */
const joint = 4;
/** The most pieces whose number of tokens is cached, such as shots. */
const largestCache = 10_000;

/**
 * Whether texts, given in pieces, have at most `most` tokens. A text is encoded as a whole only if the sum over its
 * pieces does not decide.
 */
export function tokenBudget(
  { encode }: Pick<Tokenizer, 'encode'>,
  most: number,
): (pieces: readonly string[]) => boolean {
  const counts = new Map<string, number>();
  const countOf = (piece: string): number => {
    const known = counts.get(piece);
    if (known !== undefined) return known;
    const count = encode(piece).length;
    if (counts.size >= largestCache) counts.clear();
    counts.set(piece, count);
    return count;
  };
  return (pieces) => {
    const sum = pieces.reduce((total, piece) => total + countOf(piece), 0);
    if (Math.abs(sum - most) > joint * pieces.length) return sum < most;
    return encode(pieces.join('')).length <= most;
  };
}

/** The fields that a template can write: the record's and, for a response, those of the row of its prompt. */
export function rowOf({ id: _, fields, segments: __, ...own }: DataRecord): JsonObject {
  return isObject(fields) ? { ...fields, ...own } : { ...own, ...(fields === undefined ? {} : { fields }) };
}
