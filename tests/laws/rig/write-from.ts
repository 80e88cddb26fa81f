import { kindOf, partsOf, type Reference } from './project.ts';
import type { SheetStage } from './sheets.ts';
import { put, type Writing } from './writing.ts';

/** Writes a stage's `from`. */
export function writeFrom(
  writing: Writing,
  { id, stage }: { readonly id: string; readonly stage: SheetStage },
): void {
  const { writer, project, isAlone } = writing;
  const whole = project.stages.find((other) => other.id === id);
  const bound = writer.shuffled([...stage.from]).map(([port, to]) => ({
    port,
    reference: to === null ? 'null' : spellReference(to, writing),
    places: to === null ? [] : [`${id} from ${port}`],
  }));
  const [first] = bound;
  if (first === undefined || whole === undefined) return;
  const inputs = Object.keys(kindOf(whole, project).inputs);
  const isBare = bound.length === 1 && first.port === inputs[0] && isAlone(id);
  if (isBare && writer.chance(2)) {
    put(writing, `    from: ${first.reference}`, ...first.places);
  } else if (writer.chance(3)) {
    const pairs = bound.map(({ port, reference }) => `${port}: ${reference}`);
    put(writing, `    from: { ${pairs.join(', ')} }`, ...bound.flatMap(({ places }) => places));
  } else {
    writer.line('    from:');
    for (const { port, reference, places } of bound) put(writing, `      ${port}: ${reference}`, ...places);
  }
}

/** The first output goes without its name, of a part the only one. */
function spellReference({ stage, output, part }: Reference, { writer, project }: Writing): string {
  const target = project.stages.find(({ id }) => id === stage);
  const outputs = target === undefined ? [] : Object.keys(kindOf(target, project).outputs);
  const mayBeShort =
    outputs[0] === output && (outputs.length === 1 || project.parts[target?.uses ?? ''] === undefined);
  const short = mayBeShort && writer.chance(2);
  if (part !== undefined && target !== undefined && partsOf({ stage: target, output }, project) === undefined)
    throw new Error(stage);
  return [stage, ...(short ? [] : [output]), ...(part === undefined ? [] : [part])].join('.');
}
