import type { BenchmarkTemplateName } from '../../benchmarks/index.ts';
import type { FormatConfig } from '../../generated/format-config.ts';
import { namedTemplates, type TemplateName } from '../../text/index.ts';

type Written = Extract<FormatConfig['template'], { readonly prompt: string }>;

/** The kinds of template that a configuration can name. */
export type TemplateKind =
  | { readonly kind: 'named'; readonly name: TemplateName }
  | { readonly kind: 'benchmark'; readonly name: BenchmarkTemplateName }
  | { readonly kind: 'written'; readonly sources: Written }
  /** `given` is a chat template's name or source; absent for the tokenizer's own. */
  | { readonly kind: 'chat'; readonly given?: string };

/** Loads no benchmark: a name that is not one of the general templates is a benchmark's. */
export function templateKind({ template }: Pick<FormatConfig, 'template'>): TemplateKind {
  if (template === 'chat') return { kind: 'chat' };
  if (typeof template === 'string')
    return isNamed(template) ? { kind: 'named', name: template } : { kind: 'benchmark', name: template };
  if ('chat' in template) return { kind: 'chat', given: template.chat };
  return { kind: 'written', sources: template };
}

const isNamed = (name: string): name is TemplateName => Object.hasOwn(namedTemplates, name);
