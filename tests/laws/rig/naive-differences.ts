import { type Material, nameOf, type Source } from './naive-model.ts';

/** Every field in which two materials differ: `uses`, `with /field/field`, `content /field`, `from port`, `from port.part`, `code module`. */
export function naiveDifferences(before: Material, after: Material): readonly string[] {
  return [
    ...(before.uses === after.uses ? [] : ['uses']),
    ...(before.version === after.version ? [] : ['version']),
    ...inConfig(before.config, after.config, ''),
    ...inInputs(before.inputs, after.inputs),
    ...inCode(before.code ?? {}, after.code ?? {}),
  ];
}

/** As naiveDifferences, while the stage's inputs are not known yet. */
export const withoutInputs = (differences: readonly string[]): readonly string[] =>
  differences.filter((name) => !name.startsWith('from '));

function inConfig(before: unknown, after: unknown, pointer: string): readonly string[] {
  if (nameOf(before) === nameOf(after)) return [];
  if (isSource(before) && isSource(after)) return [`content ${pointer}`];
  const sides = [before, after];
  const alike = sides.every(Array.isArray)
    ? Object(before).length === Object(after).length
    : sides.every(
        (side) => typeof side === 'object' && side !== null && !Array.isArray(side) && !isSource(side),
      );
  if (!alike) return [`with ${pointer}`];
  const names = new Set(sides.flatMap((side) => Object.keys(Object(side))));
  return [...names].flatMap((name) => inConfig(own(before, name), own(after, name), `${pointer}/${name}`));
}

function inInputs(before: Material['inputs'], after: Material['inputs']): readonly string[] {
  const ports = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...ports].flatMap((port) => {
    const [old, current] = [before[port], after[port]];
    if (nameOf(old) === nameOf(current)) return [];
    if (old?.parts === undefined || current?.parts === undefined) return [`from ${port}`];
    const parts = [...new Set([...Object.keys(old.parts), ...Object.keys(current.parts)])];
    return parts
      .filter((part) => own(old.parts, part) !== own(current.parts, part))
      .map((part) => `from ${port}.${part}`);
  });
}

const inCode = (before: object, after: object): readonly string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((module) => own(before, module) !== own(after, module))
    .map((module) => `code ${module}`);

const isSource = (value: unknown): value is Source =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'content');

const own = (object: unknown, name: string): unknown =>
  Object.hasOwn(Object(object), name) ? Object(object)[name] : undefined;
