import type { Json, JsonObject } from '../../../src/json.ts';
import { contents, folderFiles, type Kind, kinds, type Port, recordFiles, textFiles } from './stage-kinds.ts';

/** A field as it is written: a value, or the parameter that fills it. */
export type Written = { readonly value: Json } | { readonly param: string };

export interface Reference {
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

/** What a user has on disk and on the command line. */
export interface Project {
  readonly name: string;
  /** Each stage after those that it needs. */
  readonly stages: readonly WrittenStage[];
  readonly params: JsonObject;
  /** Given with `-p`. */
  readonly overrides: JsonObject;
  readonly files: Readonly<Record<string, string>>;
  /** Decides all about the YAML file that means nothing. */
  readonly style: number;
}

export const kindOf = ({ uses }: WrittenStage): Kind => {
  const kind = kinds[uses];
  if (kind === undefined) throw new Error(`no kind ${uses}`);
  return kind;
};

export function resolved(written: Written, { params, overrides }: Project): Json {
  if ('value' in written) return written.value;
  const value = Object.hasOwn(overrides, written.param) ? overrides[written.param] : params[written.param];
  if (value === undefined) throw new Error(`no parameter ${written.param}`);
  return value;
}

export const configOf = (stage: WrittenStage, project: Project): JsonObject =>
  Object.fromEntries(Object.entries(stage.with).map(([name, value]) => [name, resolved(value, project)]));

/** The parts of a stage's outputs: its own, or those of what it takes each of. */
export function partsOf(stage: WrittenStage, project: Project): readonly string[] | undefined {
  const { inputs, parts } = kindOf(stage);
  if (parts !== undefined) return parts(configOf(stage, project));
  const each = Object.keys(inputs).find((port) => inputs[port]?.each);
  const given = each === undefined ? undefined : stage.from[each];
  const above = project.stages.find(({ id }) => id === given?.stage);
  return given === undefined || given.part !== undefined || above === undefined
    ? undefined
    : partsOf(above, project);
}

/** Everything that a port could be bound to, among the stages before the given one. */
export function offersFor(
  port: Port,
  before: readonly WrittenStage[],
  project: Project,
): readonly Reference[] {
  return before.flatMap((stage) =>
    Object.entries(kindOf(stage).outputs)
      .filter(([, type]) => port.type === 'file' || port.type === type)
      .flatMap(([output]): readonly Reference[] => {
        const parts = partsOf(stage, project);
        const whole = { stage: stage.id, output };
        const each = (parts ?? []).map((part) => ({ ...whole, part }));
        return parts === undefined ? [whole] : port.each ? [whole, ...each] : each;
      }),
  );
}

/** Binds anew what an edit has left hanging, and removes the stages for which there is nothing to bind. */
export function repaired(project: Project): Project {
  const sound: WrittenStage[] = [];
  for (const stage of project.stages) {
    const from: [string, Reference][] = [];
    let whole = true;
    for (const [name, port] of Object.entries(kindOf(stage).inputs)) {
      const offers = offersFor(port, sound, project);
      const kept = offers.find((offer) => same(offer, stage.from[name]));
      const bound = kept ?? (port.optional ? undefined : offers.at(-1));
      if (bound !== undefined) from.push([name, bound]);
      else whole &&= port.optional === true;
    }
    if (whole) sound.push({ ...stage, from: Object.fromEntries(from) });
  }
  return { ...project, stages: sound.length > 0 ? sound : [newStage('read', 'read')] };
}

const same = (a: Reference, b: Reference | undefined): boolean =>
  a.stage === b?.stage && a.output === b.output && a.part === b.part;

/** A stage with the first value of each required field; what it needs is bound by `repaired`. */
export function newStage(id: string, uses: string): WrittenStage {
  const stage = { id, uses, with: {}, from: {} };
  const required = Object.entries(kindOf(stage).fields).filter(([, field]) => field.required);
  return {
    ...stage,
    with: Object.fromEntries(required.map(([name, { values }]) => [name, { value: values[0] }])),
  };
}

const fileContents = (paths: readonly string[], texts: readonly string[]): Record<string, string> =>
  Object.fromEntries(paths.map((path, index) => [path, texts[index % texts.length] ?? '']));

/** A project of one stage of each of the given kinds, in order. */
export const startWith = (uses: readonly string[]): Project =>
  repaired({
    name: 'walk',
    stages: uses.map((name) => newStage(name, name)),
    params: {},
    overrides: {},
    files: {
      ...fileContents(textFiles, contents.text),
      ...fileContents(recordFiles, contents.records),
      ...fileContents(folderFiles, contents.text),
    },
    style: 0,
  });
