import { distance } from 'fastest-levenshtein';
import type { Json, JsonObject } from '../json.ts';
import { UserError } from '../user-error.ts';

/** Far beyond any model. */
export const mostLayers = 10_000;

/** Reads the fields of a config.json one by one and remembers which, so that none is ignored by accident. */
export class ConfigFields {
  readonly #path: string;
  readonly #json: JsonObject;
  readonly #read = new Set<string>();

  constructor(path: string, json: JsonObject) {
    this.#path = path;
    this.#json = json;
  }

  /** A whole number of at least 1, and at most `most` where something is made for each before anything is read. */
  count(name: string, most = Number.MAX_SAFE_INTEGER): number {
    const value = this.#value(name);
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= most) return value;
    const limit = most === Number.MAX_SAFE_INTEGER ? 'of at least 1' : `between 1 and ${most}`;
    throw this.problem(name, `a whole number ${limit} is needed`);
  }

  optionalCount(name: string): number | undefined {
    return (this.#value(name) ?? null) === null ? undefined : this.count(name);
  }

  optionalObject(name: string): JsonObject | undefined {
    const value = this.#value(name) ?? null;
    if (value === null) return undefined;
    if (typeof value === 'object' && !isList(value)) return value;
    throw this.problem(name, 'an object is needed');
  }

  positive(name: string, fallback: number): number {
    const value = this.#value(name) ?? fallback;
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
    throw this.problem(name, 'a positive number is needed');
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.#value(name) ?? fallback;
    if (typeof value === 'boolean') return value;
    throw this.problem(name, 'true or false is needed');
  }

  /** A field that has to have one of the given values, the first of which is meant where it is absent. */
  oneOf(name: string, supported: readonly [Json, ...Json[]]): void {
    const value = this.#value(name) ?? supported[0];
    if (supported.includes(value)) return;
    throw this.problem(name, `only ${supported.map((one) => JSON.stringify(one)).join(' or ')} is supported`);
  }

  /** Throws where a field was neither read nor is one of the given ones, which change no number. */
  refuseOthers(harmless: readonly string[]): void {
    const known = [...this.#read, ...harmless];
    for (const name of Object.keys(this.#json)) {
      if (known.includes(name)) continue;
      const [closest = ''] = known.sort((a, b) => distance(name, a) - distance(name, b));
      throw this.problem(
        name,
        'this field is not supported',
        distance(name, closest) < 4 ? `did you mean \`${closest}\`?` : undefined,
      );
    }
  }

  problem(name: string, needed: string, help?: string): UserError {
    const value = JSON.stringify(this.#json[name]) ?? 'nothing';
    const message = `${this.#path} has ${value} as \`${name}\`: ${needed}`;
    return new UserError({ code: 'unsupported-model', message, ...(help === undefined ? {} : { help }) });
  }

  #value(name: string): Json | undefined {
    this.#read.add(name);
    return this.#json[name];
  }
}

/** Array.isArray does not narrow a readonly array. */
const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
