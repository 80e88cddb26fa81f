import type { Json, JsonObject } from '../../../src/core/json.ts';
import { ownFiles, readOwnStage } from './own-stage.ts';
import {
  contents,
  type Field,
  folderFiles,
  type Kind,
  kinds,
  type Port,
  passingFile,
  recordFiles,
  textFiles,
} from './stage-kinds.ts';

/** A field as it is written: a value, or the parameter that fills it. */
export type Written = { readonly value: Json } | { readonly param: string };

export interface Reference {
  /** `inputs` within a part means the part's inputs. */
  readonly stage: string;
  readonly output: string;
  readonly part?: string;
}

export interface WrittenStage {
  readonly id: string;
  readonly uses: string;
  readonly with: Readonly<Record<string, Written>>;
  readonly from: Readonly<Record<string, Reference>>;
}

/** A pipeline that others use as a stage. */
export interface Part {
  readonly stages: readonly WrittenStage[];
  readonly params: JsonObject;
  readonly inputs: Readonly<Record<string, 'text' | 'records'>>;
}

/** What a user has on disk and on the command line. */
export interface Project extends Part {
  readonly name: string;
  /** Each stage after those that it needs. */
  readonly stages: readonly WrittenStage[];
  /** Given with `-p`. */
  readonly overrides: JsonObject;
  /** Given with `--set`: `stage field` -> value. */
  readonly sets: JsonObject;
  readonly parts: Readonly<Record<string, Part>>;
  /** The points that are written, as a list or as a grid; empty for no sweep. */
  readonly sweep:
    | { readonly grid: Readonly<Record<string, readonly Json[]>> }
    | { readonly points: readonly JsonObject[] };
  readonly files: Readonly<Record<string, string>>;
  /** How many files the pipeline extends, one on top of the other. */
  readonly layers: number;
  /** Decides everything about the YAML files that has no meaning, and which layer holds what. */
  readonly style: number;
}

export const noSweep: Project['sweep'] = { points: [] };

/** A part as a separate project, to be edited like one. */
export const insidePart = (project: Project, part: Part): Project => ({
  ...project,
  ...part,
  overrides: {},
  sets: {},
  parts: {},
  sweep: noSweep,
});

export function kindOf({ uses }: WrittenStage, { parts, files }: Project): Kind {
  const part = parts[uses];
  if (part !== undefined) return kindOfPart(part);
  const kind = kinds[uses];
  if (kind === undefined) throw new Error(`no kind ${uses}`);
  const { most } = kind.fields;
  if (uses !== './own' || most === undefined) return kind;
  return { ...kind, fields: { most: { ...most, default: readOwnStage(files).most } } };
}

/** As a stage, a pipeline has its params as fields and every output of its stages. */
function kindOfPart(part: Part): Kind {
  const outputs = part.stages.flatMap((stage) =>
    Object.entries(kinds[stage.uses]?.outputs ?? {}).map(
      ([output, type]) => [outputName(stage.id, output), type] as const,
    ),
  );
  const fields = Object.keys(part.params).map((param): [string, Field] => {
    const { required: _, ...field } = fieldOf(param);
    return [param, field];
  });
  return {
    fields: Object.fromEntries(fields),
    inputs: Object.fromEntries(Object.entries(part.inputs).map(([name, type]) => [name, { type }])),
    outputs: Object.fromEntries(outputs),
  };
}

/** What a part calls an output of one of its stages. */
export const outputName = (stage: string, output: string): string =>
  `${stage}_${output}`.replaceAll('-', '_');

/** The stage within a part whose output that is. */
export function behind(part: Part, name: string): { readonly stage: string; readonly output: string } {
  for (const { id, uses } of part.stages)
    for (const output of Object.keys(kinds[uses]?.outputs ?? {}))
      if (outputName(id, output) === name) return { stage: id, output };
  throw new Error(`no output ${name}`);
}

/** The field that a parameter was made for. */
export function fieldOf(param: string): Field {
  const split = param.indexOf('_');
  const uses = param.slice(0, split);
  const field = (kinds[uses] ?? kinds[`./${uses}`])?.fields[param.slice(split + 1)];
  if (field === undefined) throw new Error(`no field for ${param}`);
  return field;
}

export const paramOf = (uses: string, field: string): string => `${uses.replace('./', '')}_${field}`;

export function resolved(written: Written, { params, overrides }: Project): Json {
  if ('value' in written) return written.value;
  const value = Object.hasOwn(overrides, written.param) ? overrides[written.param] : params[written.param];
  if (value === undefined) throw new Error(`no parameter ${written.param}`);
  return value;
}

export const configOf = (stage: WrittenStage, project: Project): JsonObject =>
  Object.fromEntries(Object.entries(stage.with).map(([name, value]) => [name, resolved(value, project)]));

/** The parts of an output: those that its stage makes, or those of what the stage takes each of. */
export function partsOf(
  { stage, output }: { readonly stage: WrittenStage; readonly output: string },
  project: Project,
): readonly string[] | undefined {
  const part = project.parts[stage.uses];
  if (part !== undefined) {
    const inside = behind(part, output);
    const inner = part.stages.find(({ id }) => id === inside.stage);
    return inner && partsOf({ stage: inner, output: inside.output }, insidePart(project, part));
  }
  const { inputs, parts } = kindOf(stage, project);
  if (parts !== undefined) return parts(configOf(stage, project));
  const each = Object.keys(inputs).find((port) => inputs[port]?.each);
  const given = each === undefined ? undefined : stage.from[each];
  const above = project.stages.find(({ id }) => id === given?.stage);
  return given === undefined || given.part !== undefined || above === undefined
    ? undefined
    : partsOf({ stage: above, output: given.output }, project);
}

/** Everything that a port could be bound to: the pipeline's inputs and the outputs of earlier stages. */
export function offersFor(
  port: Port,
  before: readonly WrittenStage[],
  project: Project,
): readonly Reference[] {
  const fits = (type: string): boolean => port.type === 'file' || port.type === type;
  const given = Object.entries(project.inputs).flatMap(([output, type]) =>
    fits(type) ? [{ stage: 'inputs', output }] : [],
  );
  const made = before.flatMap((stage) =>
    Object.entries(kindOf(stage, project).outputs)
      .filter(([, type]) => fits(type))
      .flatMap(([output]): readonly Reference[] => {
        const parts = partsOf({ stage, output }, project);
        const whole = { stage: stage.id, output };
        const each = (parts ?? []).map((part) => ({ ...whole, part }));
        return parts === undefined ? [whole] : port.each ? [whole, ...each] : each;
      }),
  );
  return [...given, ...made];
}

/** Binds inputs that an edit has left unbound, and removes the stages for which there is nothing to bind. */
export function repaired(project: Project): Project {
  const sound: WrittenStage[] = [];
  for (const stage of project.stages) {
    const from: [string, Reference][] = [];
    let whole = true;
    for (const [name, port] of Object.entries(kindOf(stage, project).inputs)) {
      const offers = offersFor(port, sound, project);
      const kept = offers.find((offer) => same(offer, stage.from[name]));
      const bound = kept ?? (port.optional ? undefined : offers.at(-1));
      if (bound !== undefined) from.push([name, bound]);
      else whole &&= port.optional === true;
    }
    if (whole) sound.push({ ...stage, from: Object.fromEntries(from) });
  }
  return { ...project, stages: sound.length > 0 ? sound : [newStage('read', { uses: 'read', project })] };
}

const same = (a: Reference, b: Reference | undefined): boolean =>
  a.stage === b?.stage && a.output === b.output && a.part === b.part;

/** A stage with the first value of each required field; what it needs is bound by `repaired`. */
export function newStage(
  id: string,
  { uses, project }: { readonly uses: string; readonly project: Project },
): WrittenStage {
  const stage = { id, uses, with: {}, from: {} };
  const required = Object.entries(kindOf(stage, project).fields).filter(([, field]) => field.required);
  return {
    ...stage,
    with: Object.fromEntries(required.map(([name, { values }]) => [name, { value: values[0] }])),
  };
}

const fileContents = (paths: readonly string[], texts: readonly string[]): Record<string, string> =>
  Object.fromEntries(paths.map((path, index) => [path, texts[index % texts.length] ?? '']));

const bare: Project = {
  name: 'walk',
  stages: [],
  params: {},
  inputs: {},
  overrides: {},
  sets: {},
  parts: {},
  sweep: noSweep,
  files: {
    ...fileContents([...textFiles, passingFile], contents.text),
    ...fileContents(recordFiles, contents.records),
    ...fileContents(folderFiles, contents.text),
    ...Object.fromEntries(Object.entries(ownFiles).map(([path, [text = '']]) => [path, text])),
  },
  layers: 0,
  style: 0,
};

const partWith = (inputs: Part['inputs'], uses: readonly string[]): Part => {
  const stages = uses.map((name) => newStage(name.replace('./', ''), { uses: name, project: bare }));
  return { ...repaired({ ...bare, inputs, stages }), inputs };
};

/** A project of one stage of each of the given kinds, in order. */
export function startWith(uses: readonly string[]): Project {
  const parts = {
    './part.yaml': partWith({ given: 'text' }, ['append', 'cut', 'count']),
    './deep/part.yaml': partWith({ rows: 'records' }, ['read', './own', 'format', 'revise']),
  };
  const project = { ...bare, parts };
  const idOf = (name: string): string => name.replace(/^\.\//, '').replaceAll(/[/.]/g, '-');
  const stages = uses.map((name, index) =>
    newStage(uses.indexOf(name) === index ? idOf(name) : `${idOf(name)}-again`, { uses: name, project }),
  );
  return repaired({ ...project, stages });
}
