import fc from 'fast-check';
import type { Json } from '../../../src/json.ts';
import {
  configOf,
  kindOf,
  newStage,
  offersFor,
  type Project,
  repaired,
  type WrittenStage,
} from './project.ts';
import { contents, type Field, kinds, recordFiles } from './stage-kinds.ts';

/** Ways to change a file; the last two leave the place, the size and the time as they may have been. */
export type WayToWrite = 'in place' | 'replaced' | 'at an old time';

/** One thing that a user does between two runs. Numbers choose among what there is, so that every edit fits every project. */
export type Edit =
  | {
      readonly do: 'set';
      readonly field: number;
      readonly value: number;
      readonly as: 'value' | 'param' | 'nothing';
    }
  | {
      readonly do: 'param';
      readonly param: number;
      readonly value: number;
      readonly at: 'file' | 'command line' | 'file only';
    }
  | { readonly do: 'add'; readonly kind: number; readonly id: number }
  | { readonly do: 'remove'; readonly stage: number }
  | { readonly do: 'rename'; readonly stage: number; readonly id: number }
  | { readonly do: 'rewire'; readonly port: number; readonly offer: number }
  | { readonly do: 'file'; readonly file: number; readonly content: number; readonly how: WayToWrite }
  | { readonly do: 'restyle'; readonly style: number }
  | { readonly do: 'name'; readonly name: string }
  | { readonly do: 'nothing' };

const pick = fc.nat({ max: 59 });

export const anyEdit: fc.Arbitrary<Edit> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('set'),
      field: pick,
      value: pick,
      as: fc.constantFrom('value', 'value', 'param', 'nothing'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('param'),
      param: pick,
      value: pick,
      at: fc.constantFrom('file', 'command line', 'file only'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('add'), kind: pick, id: pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove'), stage: pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rename'), stage: pick, id: pick }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('rewire'), port: pick, offer: pick }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('file'),
      file: pick,
      content: pick,
      how: fc.constantFrom('in place', 'replaced', 'at an old time'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('restyle'), style: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('name'), name: fc.constantFrom('walk', 'stroll') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('nothing') }) },
);

/** Among them names of stages, and of what every object has. */
const ids = [
  'one',
  'two_2',
  'three-3',
  'constructor',
  'read',
  'load',
  'split',
  'toString',
  'x',
  'y',
  'z',
] as const;

const at = <T>(list: readonly T[], index: number): T | undefined => list[index % list.length];

/** Another value than the one that is there, so that few edits change nothing. */
const another = (
  values: readonly Json[],
  { than, index }: { than: Json | undefined; index: number },
): Json => {
  const others = values.filter((value) => JSON.stringify(value) !== JSON.stringify(than));
  return at(others, index) ?? values[0] ?? null;
};

export function edited(project: Project, edit: Edit): Project {
  switch (edit.do) {
    case 'set':
      return setField(project, edit);
    case 'param':
      return setParam(project, edit);
    case 'add':
      return addStage(project, edit);
    case 'remove':
      return repaired({
        ...project,
        stages: project.stages.toSpliced(edit.stage % project.stages.length, 1),
      });
    case 'rename':
      return rename(project, edit);
    case 'rewire':
      return rewire(project, edit);
    case 'file':
      return rewrite(project, edit);
    case 'restyle':
      return { ...project, style: edit.style };
    case 'name':
      return { ...project, name: edit.name };
    case 'nothing':
      return project;
    default:
      return edit satisfies never;
  }
}

type Of<Kind extends Edit['do']> = Extract<Edit, { do: Kind }>;

const changed = (project: Project, stage: WrittenStage, change: Partial<WrittenStage>): Project =>
  repaired({
    ...project,
    stages: project.stages.map((other) => (other.id === stage.id ? { ...other, ...change } : other)),
  });

function setField(project: Project, edit: Of<'set'>): Project {
  const fields = project.stages.flatMap((stage) =>
    Object.entries(kindOf(stage).fields).map(([name, field]) => ({ stage, name, field })),
  );
  const chosen = at(fields, edit.field);
  if (chosen === undefined) return project;
  const { stage, name, field } = chosen;
  const { [name]: _, ...others } = stage.with;
  if (edit.as === 'nothing') return field.required ? project : changed(project, stage, { with: others });
  const than = configOf(stage, project)[name];
  const value = another(field.values, { than, index: edit.value });
  if (edit.as === 'value') return changed(project, stage, { with: { ...stage.with, [name]: { value } } });
  const param = `${stage.uses}_${name}`;
  const params = Object.hasOwn(project.params, param)
    ? project.params
    : { ...project.params, [param]: value };
  return changed({ ...project, params }, stage, { with: { ...stage.with, [name]: { param } } });
}

function setParam(project: Project, edit: Of<'param'>): Project {
  const param = at(Object.keys(project.params), edit.param);
  if (param === undefined) return project;
  const than = project.overrides[param] ?? project.params[param];
  const value = another(fieldOf(param).values, { than, index: edit.value });
  const { [param]: _, ...others } = project.overrides;
  if (edit.at === 'file only') return repaired({ ...project, overrides: others });
  const where = edit.at === 'file' ? 'params' : 'overrides';
  return repaired({ ...project, [where]: { ...project[where], [param]: value } });
}

/** The field that a parameter was made for. */
function fieldOf(param: string): Field {
  const split = param.indexOf('_');
  const field = kinds[param.slice(0, split)]?.fields[param.slice(split + 1)];
  if (field === undefined) throw new Error(`no field for ${param}`);
  return field;
}

function addStage(project: Project, edit: Of<'add'>): Project {
  const [uses, id] = [at(Object.keys(kinds), edit.kind), at(ids, edit.id)];
  if (uses === undefined || id === undefined || project.stages.some((stage) => stage.id === id))
    return project;
  return repaired({ ...project, stages: [...project.stages, newStage(id, uses)] });
}

function rename(project: Project, edit: Of<'rename'>): Project {
  const [before, after] = [at(project.stages, edit.stage)?.id, at(ids, edit.id)];
  if (before === undefined || after === undefined || project.stages.some(({ id }) => id === after))
    return project;
  const stages = project.stages.map((stage) => ({
    ...stage,
    id: stage.id === before ? after : stage.id,
    from: Object.fromEntries(
      Object.entries(stage.from).map(([port, to]) => [
        port,
        to.stage === before ? { ...to, stage: after } : to,
      ]),
    ),
  }));
  return { ...project, stages };
}

function rewire(project: Project, edit: Of<'rewire'>): Project {
  const ports = project.stages.flatMap((stage, index) =>
    Object.entries(kindOf(stage).inputs).map(([name, port]) => ({ stage, index, name, port })),
  );
  const chosen = at(ports, edit.port);
  if (chosen === undefined) return project;
  const { stage, index, name, port } = chosen;
  const offers = offersFor(port, project.stages.slice(0, index), project);
  const bound = at([...offers, ...(port.optional ? [undefined] : [])], edit.offer);
  const { [name]: _, ...others } = stage.from;
  return changed(project, stage, { from: bound === undefined ? others : { ...others, [name]: bound } });
}

function rewrite(project: Project, edit: Of<'file'>): Project {
  const path = at(Object.keys(project.files), edit.file) ?? '';
  const texts: readonly string[] = recordFiles.some((file) => file === path)
    ? contents.records
    : contents.text;
  const text = another(texts, { than: project.files[path], index: edit.content });
  return { ...project, files: { ...project.files, [path]: String(text) } };
}
