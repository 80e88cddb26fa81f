import { type BenchmarkTemplateName, isBenchmarkTemplate } from '../../benchmarks/index.ts';
import type { FormatConfig } from '../../generated/format-config.ts';
import type { TemplateName } from '../../text/index.ts';

type Written = Extract<FormatConfig['template'], { readonly prompt: string }>;

/** What a configuration's template is. */
export type TemplateKind =
  | { readonly kind: 'named'; readonly name: TemplateName }
  | { readonly kind: 'benchmark'; readonly name: BenchmarkTemplateName }
  | { readonly kind: 'written'; readonly sources: Written }
  /** `given` is a chat template's name or source; the tokenizer's own where absent. */
  | { readonly kind: 'chat'; readonly given?: string };

export function templateKind({ template }: Pick<FormatConfig, 'template'>): TemplateKind {
  if (template === 'chat') return { kind: 'chat' };
  if (typeof template === 'string')
    return isBenchmarkTemplate(template)
      ? { kind: 'benchmark', name: template }
      : { kind: 'named', name: template };
  if ('chat' in template) return { kind: 'chat', given: template.chat };
  return { kind: 'written', sources: template };
}
