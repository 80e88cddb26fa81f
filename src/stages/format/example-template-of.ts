import type { FormatConfig } from '../../generated/format-config.ts';
import type { JsonObject } from '../../json.ts';
import { benchmarkTemplates } from '../../text/benchmark/benchmark-templates.ts';
import type { Example, ExampleTemplate } from '../../text/benchmark/example-template.ts';
import { textList } from '../../text/benchmark/row-lists.ts';
import type { Segment, SegmentRole } from '../../text/formatted-record.ts';
import { jinjaTemplate } from '../../text/template/jinja-template.ts';
import { namedTemplates } from '../../text/template/named-templates.ts';
import type { TemplateKind } from './template-kind.ts';

/** A template that shots can stand before, with what the configuration says otherwise. */
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
    ...(by !== undefined && { group: (row) => JSON.stringify(row[by] ?? null) }),
  };
}

function ownTemplate(template: Exclude<TemplateKind, { kind: 'chat' }>): ExampleTemplate {
  switch (template.kind) {
    case 'benchmark':
      return benchmarkTemplates[template.name];
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
