import type { Json } from '../../../src/json.ts';
import { kindOf, type Project, partsOf, type Reference, type Written, type WrittenStage } from './project.ts';

export interface YamlFile {
  readonly text: string;
  /** `stage`, `stage from port` or `stage with /field/field` -> the line where that stands, the first is 1. */
  readonly lines: ReadonlyMap<string, number>;
}

/** Spells a project; its style decides order, quotes, comments and layout, none of which mean anything. */
export function writeYaml(project: Project): YamlFile {
  const writer = new Writer(project.style);
  writer.some(['# yaml-language-server: $schema=../pipeline.schema.json', '---']);
  const sections = [
    () => writer.line(`name: ${project.name}`),
    () => writeParams(writer, project),
    () => writeStages(writer, project),
  ];
  for (const section of writer.shuffled(sections)) section();
  return writer.file();
}

function writeParams(writer: Writer, { params }: Project): void {
  if (Object.keys(params).length === 0) return;
  writer.line('params:');
  for (const [name, value] of writer.shuffled(Object.entries(params))) {
    writer.line(`  ${name}: ${writer.spell(value)}`);
  }
}

function writeStages(writer: Writer, project: Project): void {
  writer.line('stages:');
  for (const stage of writer.shuffled(project.stages)) {
    writer.line(`  ${stage.id}:`, stage.id);
    const fields = [
      ...(stage.id === stage.uses && writer.chance(2) ? [] : [() => writer.line(`    uses: ${stage.uses}`)]),
      () => writeWith(writer, stage),
      () => writeFrom(writer, { stage, project }),
      () => writer.some(['    retries: 0', '    timeout: 10m']),
    ];
    for (const field of writer.shuffled(fields)) field();
    if (project.style === 0) continue;
    writer.some(['', '    # what follows is another stage']);
  }
}

function writeWith(writer: Writer, stage: WrittenStage): void {
  const fields = Object.entries(stage.with);
  if (fields.length === 0) {
    if (writer.chance(4)) writer.line('    with: {}', `${stage.id} with `);
    return;
  }
  writer.line('    with:', `${stage.id} with `);
  for (const [name, written] of writer.shuffled(fields)) writeField(writer, { stage, name, written });
}

function writeField(
  writer: Writer,
  field: { readonly stage: WrittenStage; readonly name: string; readonly written: Written },
): void {
  const { stage, name, written } = field;
  const place = `${stage.id} with /${name}`;
  const value = 'value' in written ? written.value : undefined;
  if (Array.isArray(value) && value.length > 0 && writer.chance(3)) {
    writer.line(`      ${name}:`);
    for (const [index, row] of value.entries()) {
      writer.line(`        - ${writer.spell(row)}`, `${place}/${index}`, ...(index === 0 ? [place] : []));
    }
  } else {
    const spelled = 'param' in written ? `\${params.${written.param}}` : writer.spell(escaped(written.value));
    writer.line(`      ${name}: ${spelled}`, place);
  }
}

/** A text of `with` is read for parameters. */
const escaped = (value: Json): Json =>
  typeof value === 'string' ? value.replaceAll('${', () => '$${') : value;

function writeFrom(
  writer: Writer,
  { stage, project }: { readonly stage: WrittenStage; readonly project: Project },
): void {
  const bound = writer.shuffled(Object.entries(stage.from)).map(([port, to]) => ({
    port,
    reference: spellReference(to, { writer, project }),
    place: `${stage.id} from ${port}`,
  }));
  const [first] = bound;
  if (first === undefined) return;
  const isAlone = bound.length === 1 && first.port === Object.keys(kindOf(stage).inputs)[0];
  if (isAlone && writer.chance(2)) {
    writer.line(`    from: ${first.reference}`, first.place);
  } else if (writer.chance(3)) {
    const pairs = bound.map(({ port, reference }) => `${port}: ${reference}`);
    writer.line(`    from: { ${pairs.join(', ')} }`, ...bound.map(({ place }) => place));
  } else {
    writer.line('    from:');
    for (const { port, reference, place } of bound) writer.line(`      ${port}: ${reference}`, place);
  }
}

/** The first output goes without its name, where no part of another meaning comes of that. */
function spellReference(
  { stage, output, part }: Reference,
  { writer, project }: { readonly writer: Writer; readonly project: Project },
): string {
  const target = project.stages.find(({ id }) => id === stage);
  const first = target !== undefined && Object.keys(kindOf(target).outputs)[0] === output;
  const short = first && writer.chance(2);
  if (part !== undefined && target !== undefined && partsOf(target, project) === undefined)
    throw new Error(stage);
  return [stage, ...(short ? [] : [output]), ...(part === undefined ? [] : [part])].join('.');
}

class Writer {
  readonly #lines: string[] = [];
  readonly #places = new Map<string, number>();
  #state: number;

  constructor(style: number) {
    this.#state = style;
  }

  line(text: string, ...places: readonly string[]): void {
    this.#lines.push(text);
    for (const place of places) this.#places.set(place, this.#lines.length);
  }

  /** Each of the lines or not, all of which mean nothing. */
  some(lines: readonly string[]): void {
    for (const text of lines) if (this.chance(4)) this.line(text);
  }

  /** True one time in `of`; never in the plain style, 0. */
  chance(of: number): boolean {
    if (this.#state === 0) return false;
    // A linear congruential generator, Numerical Recipes' constants: any will do here.
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0 || 1;
    return (this.#state >>> 16) % of === 0;
  }

  shuffled<T>(list: readonly T[]): readonly T[] {
    const [ahead, behind] = [[] as T[], [] as T[]];
    for (const item of list) (this.chance(2) ? ahead : behind).push(item);
    return [...ahead, ...behind];
  }

  spell(value: Json): string {
    if (typeof value !== 'string') return JSON.stringify(value);
    if (/^[a-z]+$/.test(value) && this.chance(2)) return value;
    return /^[\x20-\x7e]*$/.test(value) && this.chance(2)
      ? `'${value.replaceAll("'", "''")}'`
      : JSON.stringify(value);
  }

  file(): YamlFile {
    const end = this.chance(5) ? '\r\n' : '\n';
    return { text: this.#lines.map((text) => `${text}${end}`).join(''), lines: this.#places };
  }
}
