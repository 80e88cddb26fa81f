import { readFile } from 'node:fs/promises';
import { basename, isAbsolute } from 'node:path';
import type { ModelConfig } from '../../model/index.ts';
import { programVersion } from '../program-version.ts';
import { type ExportOptions, ggufFile, isGguf, isGgufAdapter, plainType } from './export-options.ts';
import { adapterBase, type BaseModel, type ExportSource } from './export-source.ts';
import { type CardFacts, gatherFacts } from './model-facts.ts';

/** The README.md of a model: what it is, how and from which data it was made, and its scores. */
export async function modelCard({
  source,
  options,
  base,
  config,
}: {
  readonly source: ExportSource;
  readonly options: ExportOptions;
  readonly base: BaseModel;
  readonly config: ModelConfig;
}): Promise<string> {
  const facts = source.origin && (await gatherFacts(source.origin));
  const parts = [
    frontMatter(base, { options, facts }),
    `# ${facts?.pipeline ?? 'A model'}`,
    `A ${String(config.json.model_type)} model, tuned and exported with tuneloom ${programVersion()}.`,
    base.shown === undefined ? '' : `It started from ${base.shown.replaceAll(/[`<\r\n]/g, ' ')}.`,
    usage(base, options),
    ...(facts === undefined ? [] : await story(facts)),
  ];
  const sources = (facts?.data ?? []).map(({ path }) => path).filter((path) => isAbsolute(path));
  return `${withoutPaths(parts.filter((part) => part !== '').join('\n\n'), sources)}\n`;
}

function frontMatter(
  { repository, license }: BaseModel,
  { options, facts }: { readonly options: ExportOptions; readonly facts: CardFacts | undefined },
): string {
  const { format } = options;
  const fields = {
    library_name: isGguf(format) ? 'gguf' : format === 'peft' ? 'peft' : 'transformers',
    pipeline_tag: 'text-generation',
    ...(repository && { base_model: repository, base_model_relation: relationTo(options) }),
    ...(license && { license }),
  };
  const lists = { datasets: datasetsOf(facts?.data ?? []), tags: ['tuneloom'] };
  return [
    '---',
    ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
    ...Object.entries(lists).flatMap(([name, values]) =>
      values.length === 0 ? [] : [`${name}:`, ...values.map((value) => `- ${value}`)],
    ),
    '---',
  ].join('\n');
}

/** The hub's word for what the export is to its base. */
function relationTo(options: ExportOptions): string {
  if (options.format === 'peft' || isGgufAdapter(options.format)) return 'adapter';
  return plainType(options) === undefined ? 'quantized' : 'finetune';
}

/** The repositories of data sets on the hub. */
const datasetsOf = (data: CardFacts['data']): readonly string[] => [
  ...new Set(data.flatMap(({ path }) => /^hf:datasets\/([\w.-]+\/[\w.-]+)/.exec(path)?.[1] ?? [])),
];

/** The GGUF file of an adapter's base. */
const ggufBase = ({ file }: BaseModel): string =>
  file !== undefined && /^[\w.-]+\.gguf$/i.test(file) ? file : 'base.gguf';

/** How to load the export, from within its folder. */
function usage(base: BaseModel, options: ExportOptions): string {
  const shell = (...lines: readonly string[]) => ['```sh', ...lines, '```'].join('\n');
  const file = ggufFile(options);
  if (options.format === 'gguf') return shell(`llama-cli -m ${file}`);
  if (options.format === 'gguf-lora') return shell(`llama-cli -m ${ggufBase(base)} --lora ${file}`);
  if (options.format.startsWith('ollama'))
    return shell('ollama create my-model -f Modelfile', 'ollama run my-model');
  const tokenizer = 'tokenizer = AutoTokenizer.from_pretrained(".")';
  const python = (...lines: readonly string[]) => ['```python', ...lines, tokenizer, '```'].join('\n');
  if (options.format !== 'peft')
    return python(
      'from transformers import AutoModelForCausalLM, AutoTokenizer',
      '',
      'model = AutoModelForCausalLM.from_pretrained(".")',
    );
  if (adapterBase(base, options) !== undefined)
    return python(
      'from peft import AutoPeftModelForCausalLM',
      'from transformers import AutoTokenizer',
      '',
      'model = AutoPeftModelForCausalLM.from_pretrained(".")',
    );
  const { stage } = base;
  const made = stage === undefined ? '' : `: \`tuneloom export ${stage} --to base\` writes it`;
  return [
    `The adapter needs the model that it was trained on, here in a folder \`base\` beside this one${made}.`,
    python(
      'from peft import PeftModel',
      'from transformers import AutoModelForCausalLM, AutoTokenizer',
      '',
      'base = AutoModelForCausalLM.from_pretrained("../base")',
      'model = PeftModel.from_pretrained(base, ".")',
    ),
  ].join('\n\n');
}

/** Shortens absolute paths, which tell about the machine and mean nothing on another, to their last name. */
const withoutPaths = (text: string, known: readonly string[]): string =>
  known
    .reduce((shortened, path) => shortened.replaceAll(path, basename(path)), text)
    .replaceAll(absolutePath, (path) => path.split(/[/\\]/).at(-1) ?? '');

/** Two names or more from the root, without spaces, at the start of a word. Folders of programs are no secret. */
const absolutePath =
  /(?<![\w.:/\\<~$}-])(?:\/(?!(?:usr|bin|dev|etc|opt|proc)\/)|[a-z]:[/\\])(?:[^\s/\\"'`<>|,;:(){}[\]]+[/\\])+[^\s/\\"'`<>|,;:(){}[\]]+/gi;

async function story(facts: CardFacts): Promise<readonly string[]> {
  const { params, data, losses, scores, pipelineFile } = facts;
  const yaml = pipelineFile === undefined ? '' : await readFile(pipelineFile, 'utf8');
  return [
    data.length === 0
      ? ''
      : section('Data', [
          '| source | content |',
          '|---|---|',
          ...data.map(({ path, digest }) => `| ${cell(basename(path))} | \`${digest}\` |`),
        ]),
    losses.length === 0
      ? ''
      : section('Losses', ['| stage | set | first | last |', '|---|---|---|---|', ...losses.map(row)]),
    scores.length === 0
      ? ''
      : section('Scores', ['| stage | metric | value | count |', '|---|---|---|---|', ...scores.map(row)]),
    Object.keys(params).length === 0
      ? ''
      : section('Parameters', [
          ...Object.entries(params).map(
            ([name, value]) => `- ${inline(name)}: ${inline(JSON.stringify(value))}`,
          ),
        ]),
    yaml === '' ? '' : section('Pipeline', [...repeating(facts), '', ...fenced(yaml)]),
  ];
}

/** How to make the model again. */
function repeating({ pipelineFile, stage }: CardFacts): readonly string[] {
  const file = basename(pipelineFile ?? '');
  return [
    `With the data above, and this as \`${file}\`, tuneloom ${programVersion()} makes the model again:`,
    '',
    '```sh',
    `npx tuneloom run ${file} ${stage}`,
    `npx tuneloom export ${file} ${stage} --to model`,
    '```',
  ];
}

const section = (title: string, lines: readonly string[]) => [`## ${title}`, '', ...lines].join('\n');

const row = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;

const cell = (text: string) => text.replaceAll(/[|\r\n`<]/g, ' ');

const inline = (text: string) => `\`${text.replaceAll(/[`\r\n]/g, ' ')}\``;

/** A fence that is longer than any in the text. */
function fenced(text: string): readonly string[] {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}yaml`, text.trimEnd(), fence];
}
