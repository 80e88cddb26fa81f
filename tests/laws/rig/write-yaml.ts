import { posix } from 'node:path';
import type { Json } from '../../../src/core/json.ts';
import { fieldOf, insidePart, kindOf, outputName, type Part, type Project, type Written } from './project.ts';
import { type Sheet, type SheetStage, sheetOfPart, sheetsOf, topFile } from './sheets.ts';
import { kinds } from './stage-kinds.ts';
import { writeFrom } from './write-from.ts';
import { declare, put, type Writing } from './writing.ts';
import { YamlWriter } from './yaml-writer.ts';

export interface YamlFiles {
  readonly texts: Readonly<Record<string, string>>;
  /**
   * Where things stand, as `file:line`, the first is 1: `stage`, `stage uses`, `stage from port`,
   * `stage with /field/field`, `params name`, `sweep name value`; of a part by its file, `part.yaml params name`.
   */
  readonly lines: ReadonlyMap<string, string>;
}

/** Writes a project with all the pipelines that it extends and uses. */
export function writeYaml(project: Project): YamlFiles {
  const lines = new Map<string, string>();
  const texts: [string, string][] = [];
  const sheets = sheetsOf(project);
  for (const [index, sheet] of sheets.entries()) {
    const sections = [
      () => writeName(writing, project),
      () => writeExtends(writing, sheets[index - 1]),
      ...(sheet.file === topFile ? [() => writeSweep(writing, project)] : []),
    ];
    const isAlone = (id: string): boolean =>
      sheets.every((other) => other === sheet || !other.stages.get(id)?.from.size);
    const writing = { writer: new YamlWriter(project.style), sheet, project, lines, isAlone };
    texts.push([sheet.file, writeSheet(writing, sections)]);
  }
  for (const [uses, part] of Object.entries(project.parts)) {
    const file = posix.normalize(uses);
    const own = new Map<string, string>();
    const sheet = sheetOfPart(file, part);
    const inside = insidePart(project, part);
    const writing = {
      writer: new YamlWriter(project.style),
      sheet,
      project: inside,
      lines: own,
      isAlone: () => true,
    };
    texts.push([file, writeSheet(writing, [() => writePorts(writing, part)])]);
    for (const [place, line] of own) {
      if (place.startsWith('params ')) lines.set(`${file} ${place}`, line);
      else for (const use of project.stages) if (use.uses === uses) lines.set(`${use.id}/${place}`, line);
    }
  }
  return { texts: Object.fromEntries(texts), lines };
}

function writeSheet(writing: Writing, sections: readonly (() => void)[]): string {
  const { writer } = writing;
  writer.some(['# yaml-language-server: $schema=../pipeline.schema.json', '---']);
  const all = [...sections, () => writeParams(writing), () => writeStages(writing)];
  for (const section of writer.shuffled(all)) section();
  return writer.text();
}

const writeName = ({ writer, sheet }: Writing, { name }: Project): void =>
  void writer.line(`name: ${sheet.file === topFile ? name : 'another'}`);

function writeExtends({ writer, sheet }: Writing, below: Sheet | undefined): void {
  if (below !== undefined) writer.line(`extends: ${posix.relative(posix.dirname(sheet.file), below.file)}`);
}

function writePorts({ writer }: Writing, { inputs, stages }: Part): void {
  writer.line(`inputs: ${JSON.stringify(inputs)}`);
  writer.line('outputs:');
  for (const { id, uses } of writer.shuffled(stages))
    for (const output of Object.keys(kinds[uses]?.outputs ?? {}))
      writer.line(`  ${outputName(id, output)}: ${id}.${output}`);
}

function writeSweep(writing: Writing, { sweep }: Project): void {
  const rows =
    'points' in sweep ? sweep.points.flatMap((point) => Object.entries(point)) : Object.entries(sweep.grid);
  if (rows.length === 0) return;
  const { writer } = writing;
  writer.line('sweep:');
  const value = (text: string, name: string, one: Json): void =>
    put(writing, text, `sweep ${name} ${JSON.stringify(one)}`);
  if ('points' in sweep) {
    for (const [name, one] of rows) value(`  - ${name}: ${writer.spell(one)}`, name, one);
    return;
  }
  writer.line('  grid:');
  for (const [name, values] of writer.shuffled(Object.entries(sweep.grid))) {
    writer.line(`    ${name}:`);
    for (const one of values) value(`      - ${writer.spell(one)}`, name, one);
  }
}

function writeParams(writing: Writing): void {
  const { writer, sheet } = writing;
  if (sheet.params.size === 0) return;
  writer.line('params:');
  for (const [name, value] of writer.shuffled([...sheet.params])) {
    const isPath = fieldOf(name).mark === 'source';
    put(writing, `  ${name}: ${writer.spell(isPath ? fromHere(writing, value) : value)}`, `params ${name}`);
  }
}

/** A relative path starts at the file that it is written in. */
const fromHere = ({ sheet }: Writing, path: Json): Json =>
  Array.isArray(path)
    ? path.map((each: Json) => posix.relative(posix.dirname(sheet.file), String(each)))
    : posix.relative(posix.dirname(sheet.file), String(path));

function writeStages(writing: Writing): void {
  const { writer, sheet, project } = writing;
  writer.line(sheet.stages.size === 0 ? 'stages: {}' : 'stages:');
  for (const [id, stage] of writer.shuffled([...sheet.stages])) {
    if (stage === null) {
      writer.line(`  ${id}: null`);
      continue;
    }
    const isBare = stage.uses === id && stage.with.size + stage.from.size === 0;
    const isEmpty = stage.uses === undefined && stage.with.size + stage.from.size === 0;
    declare(writing, isEmpty ? `  ${id}: {}` : `  ${id}:`, id);
    const fields = [
      ...(stage.uses === undefined || (stage.uses === id && !isBare && writer.chance(2))
        ? []
        : [() => put(writing, `    uses: ${usesFrom(writing, stage.uses ?? id)}`, `${id} uses`)]),
      () => writeWith(writing, { id, stage }),
      () => writeFrom(writing, { id, stage }),
      ...(stage.uses === undefined || stage.uses.endsWith('.yaml')
        ? []
        : [() => writer.some(['    retries: 0', '    timeout: 10m'])]),
    ];
    for (const field of writer.shuffled(fields)) field();
    if (project.style === 0) continue;
    writer.some(['', '    # what follows is another stage']);
  }
}

function usesFrom({ sheet }: Writing, uses: string): string {
  if (!uses.startsWith('./')) return uses;
  const path = posix.relative(posix.dirname(sheet.file), uses);
  return path.startsWith('.') ? path : `./${path}`;
}

interface Placed {
  readonly id: string;
  readonly stage: SheetStage;
}

function writeWith(writing: Writing, { id, stage }: Placed): void {
  const { writer } = writing;
  const place = `${id} with `;
  if (stage.with.size === 0) {
    if (stage.uses !== undefined && writer.chance(4)) declare(writing, '    with: {}', place);
    return;
  }
  declare(writing, '    with:', place);
  for (const [name, written] of writer.shuffled([...stage.with])) writeField(writing, { id, name, written });
}

function writeField(
  writing: Writing,
  field: { readonly id: string; readonly name: string; readonly written: Written | null },
): void {
  const { writer, project } = writing;
  const { id, name, written } = field;
  const place = `${id} with /${name}`;
  for (const known of [...writing.lines.keys()])
    if (known.startsWith(`${place}/`)) writing.lines.delete(known);
  if (written === null || 'param' in written) {
    put(writing, `      ${name}: ${written === null ? 'null' : `\${params.${written.param}}`}`, place);
    return;
  }
  const stage = project.stages.find((other) => other.id === id);
  const isPath = stage !== undefined && kindOf(stage, project).fields[name]?.mark === 'source';
  const value = escaped(isPath ? fromHere(writing, written.value) : written.value);
  if (Array.isArray(value) && value.length > 0 && writer.chance(3)) {
    writer.line(`      ${name}:`);
    for (const [index, row] of value.entries())
      put(writing, `        - ${writer.spell(row)}`, `${place}/${index}`, ...(index === 0 ? [place] : []));
  } else {
    put(writing, `      ${name}: ${writer.spell(value)}`, place);
  }
}

/** A text of `with` is searched for parameters. */
export const escaped = (value: Json): Json =>
  typeof value === 'string' ? value.replaceAll('${', () => '$${') : value;
