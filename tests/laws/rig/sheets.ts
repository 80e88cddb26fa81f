import type { Json } from '../../../src/core/json.ts';
import {
  fieldOf,
  kindOf,
  type Part,
  type Project,
  type Reference,
  type Written,
  type WrittenStage,
} from './project.ts';

/** The content of one of the overlaid files; `null` removes what a lower one has. */
export interface Sheet {
  readonly file: string;
  readonly params: Map<string, Json>;
  readonly stages: Map<string, SheetStage | null>;
}

export interface SheetStage {
  uses?: string;
  readonly with: Map<string, Written | null>;
  readonly from: Map<string, Reference | null>;
}

export const topFile = 'walk.yaml';
const files = ['deep/lowest.yaml', 'base.yaml', topFile];

/** Spreads a project over its files, the lowest first. Together they say what the project says, whatever its style. */
export function sheetsOf(project: Project): readonly Sheet[] {
  const sheets = files
    .slice(-1 - project.layers)
    .map((file): Sheet => ({ file, params: new Map(), stages: new Map() }));
  const spread = new Spread(sheets, project.style);
  spreadParams(project, spread);
  for (const stage of project.stages) spreadStage(stage, { project, spread });
  if (spread.one('spare', 3) && sheets.length > 1) {
    sheets[0]?.stages.set('spare', { uses: 'count', with: new Map(), from: new Map() });
    sheets.at(-1)?.stages.set('spare', null);
  }
  return sheets;
}

/** A part is one file. */
export function sheetOfPart(file: string, { params, stages }: Part): Sheet {
  const written = stages.map((stage): [string, SheetStage] => [
    stage.id,
    {
      uses: stage.uses,
      with: new Map(Object.entries(stage.with)),
      from: new Map(Object.entries(stage.from)),
    },
  ]);
  return { file, params: new Map(Object.entries(params)), stages: new Map(written) };
}

function spreadParams({ params }: Project, spread: Spread): void {
  for (const [name, value] of Object.entries(params)) {
    const home = spread.layer(`params ${name}`);
    spread.sheet(home).params.set(name, value);
    const decoy = fieldOf(name).values.find((other) => isPlain(other) && other !== value);
    if (home > 0 && isPlain(value) && decoy !== undefined && spread.one(`decoy ${name}`, 2))
      spread.sheet(0).params.set(name, decoy);
  }
}

function spreadStage(
  stage: WrittenStage,
  { project, spread }: { readonly project: Project; readonly spread: Spread },
): void {
  const { id, uses } = stage;
  const home = spread.layer(id);
  spread.stage(home, id).uses = uses;
  const { fields, inputs } = kindOf(stage, project);
  for (const [name, { values }] of Object.entries(fields)) {
    const written = stage.with[name];
    const place = `${id} with ${name}`;
    const layer = spread.layer(place, home);
    if (written !== undefined) spread.stage(layer, id).with.set(name, written);
    const decoy = values.find((value) => isPlain(value));
    const hides = written === undefined || 'param' in written || isPlain(written.value);
    if (layer === home || decoy === undefined || !hides || !spread.one(`decoy ${place}`, 2)) continue;
    spread.stage(home, id).with.set(name, { value: decoy });
    if (written === undefined) spread.stage(layer, id).with.set(name, null);
  }
  for (const name of Object.keys(inputs)) {
    const to = stage.from[name];
    const place = `${id} from ${name}`;
    const layer = spread.layer(place, home);
    if (to !== undefined) spread.stage(layer, id).from.set(name, to);
    if (layer === home || !spread.one(`decoy ${place}`, 2)) continue;
    spread.stage(home, id).from.set(name, { stage: 'nowhere', output: 'text' });
    if (to === undefined) spread.stage(layer, id).from.set(name, null);
  }
}

/** What an overlay replaces and does not merge. */
const isPlain = (value: Json): boolean => typeof value !== 'object' || Array.isArray(value);

/** Only the style decides where each line is, so that an edit moves nothing else. */
class Spread {
  readonly #sheets: readonly Sheet[];
  readonly #style: number;

  constructor(sheets: readonly Sheet[], style: number) {
    this.#sheets = sheets;
    this.#style = style;
  }

  /** A layer from `lowest` up; in the plain style that one. */
  layer(name: string, lowest = 0): number {
    return this.#style === 0 ? lowest : lowest + (this.#hash(name) % (this.#sheets.length - lowest));
  }

  one(name: string, of: number): boolean {
    return this.#style !== 0 && this.#hash(name) % of === 0;
  }

  sheet(layer: number): Sheet {
    const sheet = this.#sheets[layer];
    if (sheet === undefined) throw new Error(`no layer ${layer}`);
    return sheet;
  }

  stage(layer: number, id: string): SheetStage {
    const { stages } = this.sheet(layer);
    const stage = stages.get(id) ?? { with: new Map(), from: new Map() };
    stages.set(id, stage);
    return stage;
  }

  /** FNV-1a: any hash will do. */
  #hash(name: string): number {
    let hash = 0x811c9dc5 ^ this.#style;
    for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
    return (hash ^ (hash >>> 15)) >>> 0;
  }
}
