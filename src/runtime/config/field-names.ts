import { type Diagnostic, quoted } from '../diagnostic/diagnostic.ts';
import type { YamlNode } from '../yaml/yaml-doc.ts';

/** `optimizer.betas[0]` of a path of keys and list indices. */
export function fieldPath(path: readonly string[]): string {
  return path
    .map((step, index) => (/^\d+$/.test(step) ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('');
}

/** How a message calls the value at a path of a stage's `with`. */
export function stageField(stage: string, path: readonly string[]): string {
  return path.length === 0
    ? `stage ${quoted(stage)}`
    : `${quoted(fieldPath(path))} of stage ${quoted(stage)}`;
}

/** How a message calls the value at a path of the pipeline. */
export function pipelineField(path: readonly string[]): string {
  const [section, stage, ...rest] = path;
  if (section === undefined) return 'the pipeline';
  return section === 'stages' && stage !== undefined ? stageField(stage, rest) : quoted(fieldPath(path));
}

/** The place where a parameter is used, for a mistake in its value. */
export function relatedUse({ usedAt }: YamlNode): Pick<Diagnostic, 'related'> {
  return usedAt === undefined ? {} : { related: { kind: 'use', span: usedAt } };
}
