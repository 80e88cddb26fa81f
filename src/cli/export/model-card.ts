import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { ModelConfig } from '../../model/index.ts';
import { programVersion } from '../program-version.ts';
import { type BaseModel, baseModelOf, type ExportOptions, type ExportSource } from './export-source.ts';
import { type CardFacts, gatherFacts } from './model-facts.ts';

/** The README.md of a model: what it is, how and from which data it was made, and its scores. */
export async function modelCard({
  source,
  options,
  config,
}: {
  readonly source: ExportSource;
  readonly options: ExportOptions;
  readonly config: ModelConfig;
}): Promise<string> {
  const base = await baseModelOf(source);
  const facts = source.origin && (await gatherFacts(source.origin));
  const parts = [
    frontMatter(base, options),
    `# ${facts?.pipeline ?? 'A model'}`,
    `A ${String(config.json.model_type)} model, tuned and exported with tuneloom ${programVersion()}.`,
    base.shown === undefined ? '' : `It started from ${base.shown.replaceAll(/[`<\r\n]/g, ' ')}.`,
    usage(options),
    ...(facts === undefined ? [] : await story(facts)),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function frontMatter({ repository, license }: BaseModel, { format }: ExportOptions): string {
  const fields = {
    library_name: format === 'peft' ? 'peft' : 'transformers',
    pipeline_tag: 'text-generation',
    ...(repository && { base_model: repository }),
    ...(license && { license }),
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return ['---', ...lines, 'tags:', '- tuneloom', '---'].join('\n');
}

function usage({ format }: ExportOptions): string {
  const load =
    format === 'peft'
      ? [
          'from peft import AutoPeftModelForCausalLM',
          '',
          'model = AutoPeftModelForCausalLM.from_pretrained("this folder")',
        ]
      : [
          'from transformers import AutoModelForCausalLM, AutoTokenizer',
          '',
          'model = AutoModelForCausalLM.from_pretrained("this folder")',
          'tokenizer = AutoTokenizer.from_pretrained("this folder")',
        ];
  return ['```python', ...load, '```'].join('\n');
}

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
    yaml === '' ? '' : section('Pipeline', fenced(yaml)),
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
