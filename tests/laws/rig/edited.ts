import type { Json } from '../../../src/core/json.ts';
import type { Edit, Of } from './edits.ts';
import { ownFiles } from './own-stage.ts';
import { plainProject, pointsOf } from './plain-project.ts';
import {
  behind,
  configOf,
  fieldOf,
  insidePart,
  kindOf,
  newStage,
  noSweep,
  offersFor,
  outputName,
  type Part,
  type Project,
  paramOf,
  type Reference,
  repaired,
  type WrittenStage,
} from './project.ts';
import { contents, kinds, recordFiles } from './stage-kinds.ts';

/** These include names of stages and of properties that every object has. */
const ids = ['one', 'two_2', 'three-3', 'constructor', 'read', 'load', 'split', 'toString', 'x', 'y', 'z'];

const at = <T>(list: readonly T[], index: number): T | undefined => list[index % list.length];

/** A value other than the current one, so that few edits change nothing. */
const another = (
  values: readonly Json[],
  { than, index }: { than: Json | undefined; index: number },
): Json => {
  const others = values.filter((value) => JSON.stringify(value) !== JSON.stringify(than));
  return at(others, index) ?? values[0] ?? null;
};

/** The project after an edit, which is always one that tuneloom accepts. */
export const edited = (project: Project, edit: Edit): Project => accepted(repaired(done(project, edit)));

function done(project: Project, edit: Edit): Project {
  switch (edit.do) {
    case 'set':
      return edit.as === 'command line' ? setOnCommandLine(project, edit) : setField(project, edit);
    case 'param':
      return setParam(project, edit);
    case 'add':
      return addStage(project, edit);
    case 'remove':
      return { ...project, stages: project.stages.toSpliced(edit.stage % project.stages.length, 1) };
    case 'rename':
      return rename(project, edit);
    case 'rewire':
      return rewire(project, edit);
    case 'in part':
      return editPart(project, edit);
    case 'sweep':
      return sweep(project, edit);
    case 'file':
      return rewrite(project, edit);
    case 'own stage':
      return rewriteOwn(project, edit);
    case 'layers':
      return { ...project, layers: edit.layers };
    case 'restyle':
      return { ...project, style: edit.style };
    case 'name':
      return { ...project, name: edit.name };
    case 'command line as it was':
      return { ...project, overrides: {}, sets: {} };
    case 'nothing':
      return project;
    default:
      return edit satisfies never;
  }
}

/** Without command-line options for stages and points that no longer exist. */
function accepted(project: Project): Project {
  const ids = plainProject(project, {}).stages.map(({ id }) => id);
  const sets = Object.entries(project.sets).filter(([name]) => ids.includes(name.split(' ')[0] ?? ''));
  const sound = { ...project, sets: Object.fromEntries(sets) };
  return pointsOf(sound).length > 0 ? sound : { ...sound, overrides: {} };
}

const changed = (project: Project, stage: WrittenStage, change: Partial<WrittenStage>): Project => ({
  ...project,
  stages: project.stages.map((other) => (other.id === stage.id ? { ...other, ...change } : other)),
});

const fieldsOf = (project: Project) =>
  project.stages.flatMap((stage) =>
    Object.entries(kindOf(stage, project).fields).map(([name, field]) => ({ stage, name, field })),
  );

function setField(project: Project, edit: Of<'set'>): Project {
  const chosen = at(fieldsOf(project), edit.field);
  if (chosen === undefined) return project;
  const { stage, name, field } = chosen;
  const { [name]: _, ...others } = stage.with;
  if (edit.as === 'nothing') return field.required ? project : changed(project, stage, { with: others });
  const than = configOf(stage, project)[name];
  const value = another(field.values, { than, index: edit.value });
  // The outputs of a part would differ from use to use.
  const isFixed = name === 'parts' && Object.keys(project.inputs).length > 0;
  if (edit.as === 'value' || isFixed)
    return changed(project, stage, { with: { ...stage.with, [name]: { value } } });
  const param = project.parts[stage.uses] === undefined ? paramOf(stage.uses, name) : name;
  const params = Object.hasOwn(project.params, param)
    ? project.params
    : { ...project.params, [param]: value };
  return changed({ ...project, params }, stage, { with: { ...stage.with, [name]: { param } } });
}

/** `--set` of a field of a stage, also of one within a part. */
function setOnCommandLine(project: Project, edit: Of<'set'>): Project {
  const fields = fieldsOf(plainProject(project, {})).filter(({ name }) => name !== 'parts');
  const chosen = at(fields, edit.field);
  if (chosen === undefined) return project;
  const { stage, name, field } = chosen;
  const than = configOf(stage, project)[name];
  const value = another(field.values, { than, index: edit.value });
  return { ...project, sets: { ...project.sets, [`${stage.id} ${name}`]: value } };
}

function setParam(project: Project, edit: Of<'param'>): Project {
  const param = at(Object.keys(project.params), edit.param);
  if (param === undefined) return project;
  const than = project.overrides[param] ?? project.params[param];
  const value = another(fieldOf(param).values, { than, index: edit.value });
  const { [param]: _, ...others } = project.overrides;
  if (edit.at === 'file only') return { ...project, overrides: others };
  const where = edit.at === 'file' ? 'params' : 'overrides';
  return { ...project, [where]: { ...project[where], [param]: value } };
}

/** A part is added more often than a single stage of any one kind. */
function addStage(project: Project, edit: Of<'add'>): Project {
  const parts = Object.keys(project.parts);
  const [uses, id] = [at([...Object.keys(kinds), ...parts, ...parts], edit.kind), at(ids, edit.id)];
  if (uses === undefined || id === undefined || project.stages.some((stage) => stage.id === id))
    return project;
  return { ...project, stages: [...project.stages, newStage(id, { uses, project })] };
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
    Object.entries(kindOf(stage, project).inputs).map(([name, port]) => ({ stage, index, name, port })),
  );
  const chosen = at(ports, edit.port);
  if (chosen === undefined) return project;
  const { stage, index, name, port } = chosen;
  const offers = offersFor(port, project.stages.slice(0, index), project);
  const bound = at([...offers, ...(port.optional ? [undefined] : [])], edit.offer);
  const { [name]: _, ...others } = stage.from;
  return changed(project, stage, { from: bound === undefined ? others : { ...others, [name]: bound } });
}

function editPart(project: Project, edit: Of<'in part'>): Project {
  const name = at(Object.keys(project.parts), edit.part);
  const part = name === undefined ? undefined : project.parts[name];
  if (name === undefined || part === undefined) return project;
  const { stages, params, inputs, overrides, sets } = repaired(done(insidePart(project, part), edit.edit));
  if (Object.keys({ ...overrides, ...sets }).length > 0) return project;
  const after = { ...project, parts: { ...project.parts, [name]: { stages, params, inputs } } };
  return edit.edit.do === 'rename' ? followed(after, { name, before: part }) : after;
}

/** A stage that reads an output of a part's renamed stage reads it under its new name. */
function followed(
  project: Project,
  { name, before }: { readonly name: string; readonly before: Part },
): Project {
  const uses = project.stages.filter((stage) => stage.uses === name).map(({ id }) => id);
  const follow = (to: Reference): Reference => {
    if (!uses.includes(to.stage)) return to;
    const { stage, output } = behind(before, to.output);
    const renamed = project.parts[name]?.stages[before.stages.findIndex(({ id }) => id === stage)];
    return { ...to, output: outputName(renamed?.id ?? stage, output) };
  };
  const stages = project.stages.map((stage) => ({
    ...stage,
    from: Object.fromEntries(Object.entries(stage.from).map(([port, to]) => [port, follow(to)])),
  }));
  return { ...project, stages };
}

/** A parameter joins the sweep, leaves it, or has other values there. */
function sweep(project: Project, edit: Of<'sweep'>): Project {
  const param = at(Object.keys(project.params), edit.param);
  if (param === undefined) return { ...project, sweep: noSweep };
  const scalars = fieldOf(param).values.filter((value) => typeof value !== 'object');
  const values = [...new Set(edit.values.flatMap((index) => scalars[index] ?? []))];
  const before = 'grid' in project.sweep ? project.sweep.grid : {};
  const { [param]: _, ...others } = before;
  if (edit.as === 'points')
    return { ...project, sweep: { points: values.map((value) => ({ [param]: value })) } };
  return { ...project, sweep: { grid: values.length === 0 ? others : { ...others, [param]: values } } };
}

function rewrite(project: Project, edit: Of<'file'>): Project {
  const path = editedFile(project, edit);
  const texts: readonly string[] = recordFiles.some((file) => file === path)
    ? contents.records
    : contents.text;
  const text = another(texts, { than: project.files[path], index: edit.content });
  return { ...project, files: { ...project.files, [path]: String(text) } };
}

function rewriteOwn(project: Project, edit: Of<'own stage'>): Project {
  const path = editedFile(project, edit);
  const text = another(ownFiles[path] ?? [], { than: project.files[path], index: edit.content });
  return { ...project, files: { ...project.files, [path]: String(text) } };
}

/** The file that an edit is about. */
export function editedFile({ files }: Pick<Project, 'files'>, edit: Of<'file' | 'own stage'>): string {
  const isOwn = (path: string): boolean => Object.hasOwn(ownFiles, path);
  const paths = Object.keys(files).filter((path) => isOwn(path) === (edit.do === 'own stage'));
  return at(paths, edit.file) ?? '';
}
