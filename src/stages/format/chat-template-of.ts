import { isObject } from '../../core/index.ts';
import type { Dag } from '../../runtime/index.ts';

/** The template of a pipeline's first format stage, if it is a named one or a chat template: what its models were tuned on. */
export function chatTemplateOf(dag: Dag): string | undefined {
  const format = [...dag.nodes.values()].find(({ definition }) => definition.name === 'format');
  const template = format?.config.template;
  if (typeof template === 'string') return template;
  const { chat } = isObject(template) ? template : {};
  return typeof chat === 'string' ? chat : undefined;
}
