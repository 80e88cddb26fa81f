import { typeError } from './python-error.ts';
import { type Args, integerIn, textIn, typeName, Undefined, type Value } from './values.ts';

export const noArgs: Args = { positional: [], named: new Map() };

/** The values of `names` in a call; undefined where one is not given. Throws a TypeError for any other argument. */
export function bind(
  what: string,
  names: readonly string[],
  { positional, named }: Args,
  required = 0,
): readonly (Value | undefined)[] {
  if (positional.length > names.length)
    throw typeError(`${what}() takes at most ${names.length} argument(s) (${positional.length} given)`);
  const values: (Value | undefined)[] = names.map((_, index) => positional[index]);
  for (const [name, value] of named) {
    const index = names.indexOf(name);
    if (index === -1) throw typeError(`${what}() got an unexpected keyword argument '${name}'`);
    if (values[index] !== undefined) throw typeError(`${what}() got multiple values for argument '${name}'`);
    values[index] = value;
  }
  for (const [index, name] of names.slice(0, required).entries())
    if (values[index] === undefined) throw typeError(`${what}() missing a required argument: '${name}'`);
  return values;
}

/** As `bind`, for functions that take no arguments by name. */
export function bindPositional(
  what: string,
  names: readonly string[],
  args: Args,
  required = 0,
): readonly (Value | undefined)[] {
  if (args.named.size > 0) throw typeError(`${what}() takes no keyword arguments`);
  return bind(what, names, args, required);
}

/** A bool or int as an index or count; a larger one than any text becomes the largest. */
export function indexOf(value: Value | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  const integer = integerIn(value);
  if (integer !== undefined) return Number(integer);
  if (value instanceof Undefined) return value.fail();
  throw typeError(`'${typeName(value)}' object cannot be interpreted as an integer`);
}

/** An argument that has to be a str. */
export function textArgument(what: string, value: Value | undefined): string {
  const text = textIn(value);
  if (text !== undefined) return text;
  throw typeError(`${what} must be str, not ${typeName(value ?? null)}`);
}
