import { expect } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { type ExplainedDifference, explainStage } from '../../../src/runtime/plan/explain-stage.ts';
import { must } from './must.ts';
import { naiveDifferences, withoutInputs } from './naive-differences.ts';
import { type Material, ownMaterial } from './naive-model.ts';
import { readOwnStage } from './own-stage.ts';
import type { Project, Written } from './project.ts';
import type { Situation } from './walk.ts';

/** `explain` names exactly the fields that differ from when the stage last had a result, and where they are written. */
export async function checkExplanations(at: Situation): Promise<void> {
  if (at.force.length > 0) return;
  const reused = [...at.foreseen].filter(([, { planned }]) => planned === 'reuse');
  for (const [id, { planned }] of at.foreseen) {
    // Reused stages are checked only once, since each explanation makes a plan.
    if (planned === 'reuse' && id !== reused[0]?.[0]) continue;
    const past = at.past(id);
    if (past === undefined) continue;
    const explained = must(await explainStage({ dag: at.dag, store: at.open(), stage: id }));
    const said = explained.differences.map((difference) => [nameDifference(difference), lineOf(difference)]);
    const due = planned === 'reuse' ? [] : dueDifferences(at, { id, past, open: planned !== 'run' });
    expect([id, ...said.sort()]).toEqual([id, ...due.map((name) => [name, dueLine(at, id, name)]).sort()]);
  }
}

function dueDifferences(
  { foreseen, plain }: Situation,
  { id, past, open }: { readonly id: string; readonly past: Material; readonly open: boolean },
): readonly string[] {
  const material = foreseen.get(id)?.material;
  if (material !== undefined) {
    const differences = naiveDifferences(past, material);
    return open ? withoutInputs(differences) : differences;
  }
  const written = plain.project.stages.find((other) => other.id === id);
  if (written === undefined) return [];
  return naiveDifferences(past, { ...ownMaterial(written, plain.project), inputs: past.inputs });
}

function nameDifference(difference: ExplainedDifference): string {
  switch (difference.kind) {
    case 'config':
      return `with ${difference.pointer}`;
    case 'source':
      return `content ${difference.pointer}`;
    case 'input':
      return `from ${difference.port}${difference.part === undefined ? '' : `.${difference.part}`}`;
    case 'code':
      return `code ${difference.module}`;
    default:
      return difference.kind;
  }
}

const lineOf = ({ span }: ExplainedDifference): string =>
  `${span.file.displayPath}:${span.file.text.slice(0, span.start).split('\n').length}`;

/** The place that a user edits to change the field: `file:line`. */
function dueLine({ plain, yaml, project }: Situation, id: string, name: string): string {
  const origin = plain.origin.get(id) ?? { id, point: {} };
  const stage = plain.project.stages.find((other) => other.id === id);
  const [what = '', where = ''] = name.split(' ');
  const own = stage?.uses === './own' ? readOwnStage(project.files) : undefined;
  if (what === 'code') return `own/${where}:1`;
  if (what === 'version') return own === undefined ? '' : `own/stage.yaml:${own.lineOf('version')}`;
  const line = (place: string): string | undefined => yaml.lines.get(`${origin.id} ${place}`);
  const itself = String(yaml.lines.get(origin.id));
  if (what === 'uses') return line('uses') ?? itself;
  if (what === 'from') return line(`from ${where.split('.')[0]}`) ?? itself;
  const [, field = ''] = where.split('/');
  if (Object.hasOwn(project.sets, `${origin.id} ${field}`)) return 'command line:1';
  const filled = lineOfParameter({ project, lines: yaml.lines, ...origin }, field);
  if (filled !== undefined) return filled;
  const above = where.split('/').map((_, index, all) => all.slice(0, all.length - index).join('/'));
  const place = above.find((one) => one !== '' && line(`with ${one}`) !== undefined);
  if (place === undefined && own !== undefined) return `own/stage.yaml:${own.lineOf('most')}`;
  return line(`with ${place ?? ''}`) ?? itself;
}

interface PlacedStage {
  readonly project: Project;
  readonly lines: ReadonlyMap<string, string>;
  readonly id: string;
  readonly point: JsonObject;
}

/** The place of the parameter that sets a field; none for the command line's, which is shown where it is used. */
function lineOfParameter({ project, lines, id, point }: PlacedStage, field: string): string | undefined {
  const [outer = '', inner] = id.split('/');
  const use = project.stages.find((stage) => stage.id === outer);
  const part = project.parts[use?.uses ?? ''];
  const inRoot = (written: Written | undefined): string | undefined => {
    if (written === undefined || 'value' in written) return undefined;
    const { param } = written;
    if (Object.hasOwn(point, param)) return lines.get(`sweep ${param} ${JSON.stringify(point[param])}`);
    return Object.hasOwn(project.overrides, param) ? undefined : lines.get(`params ${param}`);
  };
  if (part === undefined) return inRoot(use?.with[field]);
  const written = part.stages.find((stage) => stage.id === inner)?.with[field];
  if (written === undefined || 'value' in written) return undefined;
  const given = use?.with[written.param];
  if (given === undefined) return lines.get(`${use?.uses.slice(2)} params ${written.param}`);
  return 'value' in given ? lines.get(`${outer} with /${written.param}`) : inRoot(given);
}
