import { isList, isObject, type Json, jsonText, numberIn } from '../../core/index.ts';
import type { TaskFields } from './task-index.ts';
import type { YamlValue } from './yaml-value.ts';

/** Reads the fields of a map, and keeps what is wrong with them. Null stands for a field that is absent. */
export class FieldChecker {
  readonly #fields: TaskFields;
  readonly #problems: string[];
  readonly #left: Set<string>;

  /** `problems` takes what is wrong, with its place. */
  constructor(fields: TaskFields, problems: string[]) {
    this.#fields = fields;
    this.#problems = problems;
    this.#left = new Set(fields.keys());
  }

  /** A field with its place; undefined if it is absent or null. Python code in it is a problem. */
  value(name: string): YamlValue | undefined {
    this.#left.delete(name);
    const value = this.#fields.get(name);
    if (value === undefined) return undefined;
    const [code] = value.functions;
    if (code !== undefined)
      this.#problems.push(
        `${code.place}: \`${name}\` needs the Python function \`${code.name}\`, which tuneloom does not run`,
      );
    return value.json === null || code !== undefined ? undefined : value;
  }

  text(name: string): string | undefined {
    return this.#checked(name, 'a text', ({ json }) => (typeof json === 'string' ? json : undefined));
  }

  flag(name: string): boolean | undefined {
    return this.#checked(name, 'true or false', ({ json }) => (typeof json === 'boolean' ? json : undefined));
  }

  /** A number, or a text of one, that is at least `least` and whole if `isWhole`. */
  number(
    name: string,
    { least, isWhole = false }: { readonly least: number; readonly isWhole?: boolean },
  ): number | undefined {
    return this.#checked(name, `a ${isWhole ? 'whole ' : ''}number of at least ${least}`, ({ json }) => {
      const number = typeof json === 'string' && json.trim() !== '' ? Number(json) : numberIn(json);
      const fits = number !== undefined && number >= least && (!isWhole || Number.isInteger(number));
      return fits ? number : undefined;
    });
  }

  /** A text or a list of texts, as a list. */
  texts(name: string): readonly string[] | undefined {
    return this.#checked(name, 'a text or a list of texts', ({ json }) => textList(json));
  }

  list(name: string): readonly YamlValue[] | undefined {
    return this.#checked(name, 'a list', ({ json, items }) => (isList(json) ? items : undefined));
  }

  map(name: string): YamlValue | undefined {
    return this.#checked(name, 'a map', (value) => (isObject(value.json) ? value : undefined));
  }

  oneOf<Name extends string>(name: string, names: readonly Name[]): Name | undefined {
    const expected = `one of ${names.join(', ')}`;
    return this.#checked(name, expected, ({ json }) => names.find((one) => one === json));
  }

  /** Passes a field that means nothing here; whether it says something. */
  ignore(name: string): boolean {
    this.#left.delete(name);
    const json = this.#fields.get(name)?.json;
    const hasCode = (this.#fields.get(name)?.functions.length ?? 0) > 0;
    return hasCode || !(json === undefined || json === null || json === false || json === '');
  }

  /** Says that a field needs what is not here, unless it is absent, null or false. `reason` continues its name. */
  refuse(name: string, reason: string): void {
    const [code] = this.#fields.get(name)?.functions ?? [];
    if (!this.ignore(name)) return;
    const what = code === undefined ? '' : ` (\`!function ${code.name}\`)`;
    this.problem(name, `\`${name}\`${what} ${reason}`);
  }

  problem(name: string, message: string): void {
    this.#problems.push(`${this.#fields.get(name)?.place ?? 'the task'}: ${message}`);
  }

  /** The fields that nothing has asked for. */
  left(): readonly string[] {
    return [...this.#left];
  }

  #checked<Value>(
    name: string,
    expected: string,
    read: (value: YamlValue) => Value | undefined,
  ): Value | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    const found = read(value);
    if (found === undefined)
      this.problem(name, `\`${name}\` must be ${expected}, but is ${jsonText(value.json).slice(0, 60)}`);
    return found;
  }
}

const textList = (json: Json): readonly string[] | undefined => {
  if (typeof json === 'string') return [json];
  return isList(json) && json.every((item) => typeof item === 'string') ? json : undefined;
};
