import { isFilter, isTest } from './filters.ts';
import type { Body } from './nodes.ts';
import { TemplateSyntaxError } from './python-error.ts';

/** What a template mentions, besides text. Throws a TemplateSyntaxError for a filter or test that Jinja does not know. */
export function namesIn(body: Body): {
  readonly names: ReadonlySet<string>;
  readonly marksGeneration: boolean;
} {
  const names = new Set<string>();
  let marksGeneration = false;
  const visit = (part: unknown, isConditional: boolean): void => {
    if (typeof part !== 'object' || part === null) return;
    const { kind, name, line } = part as { kind?: unknown; name?: unknown; line?: unknown }; // a node or a list
    if (kind === 'name') names.add(String(name));
    if (kind === 'generation') marksGeneration = true;
    // Like Jinja, which lets a template ask `'name' is filter` before it uses one.
    if (!isConditional && kind === 'filter' && !isFilter(String(name)))
      throw new TemplateSyntaxError(`No filter named '${name}'.`, Number(line));
    if (!isConditional && kind === 'test' && !isTest(String(name)))
      throw new TemplateSyntaxError(`No test named '${name}'.`, Number(line));
    const within = isConditional || kind === 'if' || kind === 'conditional';
    for (const child of Object.values(part)) visit(child, within);
  };
  visit(body, false);
  return { names, marksGeneration };
}
