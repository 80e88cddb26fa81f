import { didYouMean, isList, isObject, type Json, type JsonObject, UserError } from '../core/index.ts';

/** More than any model has. */
export const maxLayers = 10_000;

/** Reads the fields of a config.json and tracks which were read, so that none is ignored by accident. */
export class ConfigFields {
  readonly #path: string;
  readonly #json: JsonObject;
  readonly #read = new Set<string>();

  constructor(path: string, json: JsonObject) {
    this.#path = path;
    this.#json = json;
  }

  /** A whole number of at least 1, and at most `most` if something is allocated for each before the weights are read. */
  count(name: string, most = Number.MAX_SAFE_INTEGER): number {
    const value = this.#value(name);
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= most) return value;
    const limit = most === Number.MAX_SAFE_INTEGER ? 'of at least 1' : `between 1 and ${most}`;
    throw this.problem(name, `a whole number ${limit} is needed`);
  }

  optionalCount(name: string): number | undefined {
    return (this.#value(name) ?? null) === null ? undefined : this.count(name);
  }

  /** A count, or 0, which is also the default. */
  countOrZero(name: string): number {
    return (this.#value(name) ?? 0) === 0 ? 0 : this.count(name);
  }

  /** A count, or undefined if the field is null; `absent` if there is no such field. */
  countOrNull(name: string, absent: number | undefined): number | undefined {
    return this.#value(name) === undefined ? absent : this.optionalCount(name);
  }

  optionalObject(name: string): JsonObject | undefined {
    const value = this.#value(name) ?? null;
    if (value === null) return undefined;
    if (isObject(value)) return value;
    throw this.problem(name, 'an object is needed');
  }

  positive(name: string, fallback: number): number {
    const value = this.#value(name) ?? fallback;
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
    throw this.problem(name, 'a positive number is needed');
  }

  optionalPositive(name: string): number | undefined {
    return (this.#value(name) ?? null) === null ? undefined : this.positive(name, Number.NaN);
  }

  atLeastOne(name: string): number {
    const value = this.positive(name, Number.NaN);
    if (value >= 1) return value;
    throw this.problem(name, 'a number of at least 1 is needed');
  }

  /** A list of `length` positive numbers. */
  numbers(name: string, length: number): readonly number[] {
    const value = this.#value(name) ?? [];
    const isPositive = (each: Json): each is number =>
      typeof each === 'number' && Number.isFinite(each) && each > 0;
    if (isList(value) && value.length === length && value.every(isPositive)) return value;
    throw this.problem(name, `a list of ${length} positive numbers is needed`);
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.#value(name) ?? fallback;
    if (typeof value === 'boolean') return value;
    throw this.problem(name, 'true or false is needed');
  }

  /** A field that must have one of the given values; the first is the default. */
  oneOf(name: string, supported: readonly [Json, ...Json[]]): void {
    const value = this.#value(name) ?? supported[0];
    if (supported.includes(value)) return;
    throw this.problem(name, `only ${supported.map((one) => JSON.stringify(one)).join(' or ')} is supported`);
  }

  /** One of the supported words, the first by default; the field may have an older name. */
  choice<Word extends string>(
    name: string,
    { older, supported }: { older: string; supported: readonly [Word, ...Word[]] },
  ): Word {
    const [current, former] = [this.#value(name), this.#value(older)];
    const value = current ?? former ?? supported[0];
    const found = supported.find((word) => word === value);
    if (found !== undefined) return found;
    const words = supported.map((one) => JSON.stringify(one)).join(', ');
    throw this.problem(current === undefined ? older : name, `these are supported: ${words}`);
  }

  /** An optional list that contains only the given word. */
  everyOf(name: string, word: string): void {
    const value = this.#value(name) ?? [];
    if (isList(value) && value.every((each) => each === word)) return;
    throw this.problem(name, `only ${JSON.stringify(word)} is supported`);
  }

  /** Throws if a field was not read and is not one of the given ones, which change no number. */
  refuseOthers(harmless: readonly string[]): void {
    const known = [...this.#read, ...harmless];
    for (const name of Object.keys(this.#json)) {
      if (known.includes(name)) continue;
      throw this.problem(name, 'this field is not supported', didYouMean(name, known));
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
