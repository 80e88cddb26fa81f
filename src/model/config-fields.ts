import { didYouMean, isList, isObject, type Json, type JsonObject, own, UserError } from '../core/index.ts';
import { judgeUnread } from './unread-fields.ts';

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

  optionalCount(name: string, most?: number): number | undefined {
    return (this.#value(name) ?? null) === null ? undefined : this.count(name, most);
  }

  /** A count, or 0; `absent` if there is no such field. */
  countOrZero(name: string, absent = 0): number {
    const value = this.#value(name) ?? absent;
    return value === absent || value === 0 ? value : this.count(name);
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

  /** A positive number, or undefined if the field is null; `absent` if there is no such field. */
  positiveOrNull(name: string, absent: number | undefined): number | undefined {
    return this.#value(name) === undefined ? absent : this.optionalPositive(name);
  }

  positiveOrZero(name: string, fallback: number): number {
    return this.#value(name) === 0 ? 0 : this.positive(name, fallback);
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

  /** One of the supported words, the first by default. */
  word<Word extends string>(name: string, supported: readonly [Word, ...Word[]]): Word {
    return this.choice(name, { older: name, supported });
  }

  /** One of the supported words, the first by default; the field may have an older name, or both with one value. */
  choice<Word extends string>(
    name: string,
    { older, supported }: { older: string; supported: readonly [Word, ...Word[]] },
  ): Word {
    const [current, former] = [this.#value(name), this.#value(older)];
    const value = current ?? former ?? supported[0];
    if ((former ?? value) !== value) throw this.problem(name, `its \`${older}\` is ${this.#shown(older)}`);
    const found = supported.find((word) => word === value);
    if (found !== undefined) return found;
    const words = supported.map((one) => JSON.stringify(one)).join(', ');
    throw this.problem(current === undefined ? older : name, `these are supported: ${words}`);
  }

  /** `layer_types`: what kind of attention each layer has. Undefined if there is no such field. */
  layerTypes(layers: number): readonly string[] | undefined {
    const value = this.#value('layer_types') ?? null;
    if (value === null) return undefined;
    const isKnown = (type: Json): type is string => type === 'full_attention' || type === 'sliding_attention';
    if (isList(value) && value.length === layers && value.every(isKnown)) return value;
    throw this.problem(
      'layer_types',
      `a list of ${layers} words is needed, each "full_attention" or "sliding_attention"`,
    );
  }

  /** An optional list of layers, counted from 0. */
  layerNumbers(name: string, layers: number): readonly number[] {
    const value = this.#value(name) ?? [];
    const isLayer = (each: Json): each is number =>
      typeof each === 'number' && Number.isInteger(each) && each >= 0 && each < layers;
    if (isList(value) && value.every(isLayer)) return value;
    throw this.problem(name, `a list of whole numbers between 0 and ${layers - 1} is needed`);
  }

  /** An optional list that contains only the given word. */
  everyOf(name: string, word: string): void {
    const value = this.#value(name) ?? [];
    if (isList(value) && value.every((each) => each === word)) return;
    throw this.problem(name, `only ${JSON.stringify(word)} is supported`);
  }

  /** Throws if a field was not read and is not one of the given ones, which change no number. */
  refuseOthers(harmless: readonly string[]): void {
    this.#refuse(
      this.#unread().filter((name) => !harmless.includes(name)),
      {},
    );
  }

  /**
   * Throws if a field that was not read could change what the model computes. Returns a note about fields that are
   * ignored without being known; `prefix` comes before their names.
   */
  judgeOthers(prefix = ''): readonly string[] {
    const verdicts = this.#unread().map(
      (name) => [name, judgeUnread(name, this.#json[name] ?? null)] as const,
    );
    const judged = (verdict: ReturnType<typeof judgeUnread>) =>
      verdicts.filter(([, each]) => each === verdict).map(([name]) => name);
    this.#refuse(judged('refuse'), unknownFields);
    const noted = judged('note');
    if (noted.length === 0) return [];
    const listed = noted.map((name) => {
      const help = didYouMean(name, this.#read);
      return `\`${prefix}${name}\` (${this.#shown(name)}${help === undefined ? '' : `; ${help}`})`;
    });
    return [
      `fields of config.json that are not known were ignored, as their values change nothing: ${listed.join(', ')}`,
    ];
  }

  problem(name: string, needed: string, help?: string): UserError {
    const message = `${this.#path} has ${this.#shown(name)} as \`${name}\`: ${needed}`;
    return new UserError({ code: 'unsupported-model', message, ...(help === undefined ? {} : { help }) });
  }

  #unread(): readonly string[] {
    return Object.keys(this.#json).filter((name) => !this.#read.has(name));
  }

  #refuse(names: readonly string[], help: { readonly one?: string; readonly several?: string }): void {
    const [first, ...others] = names;
    if (first === undefined) return;
    if (others.length === 0)
      throw this.problem(
        first,
        'this field is not supported',
        didYouMean(first, this.#read) ?? own(helpFor, first) ?? help.one,
      );
    const listed = names.map((name) => `${this.#shown(name)} as \`${name}\``).join(', ');
    const message = `${this.#path} has ${listed}: these fields are not supported`;
    const { several } = help;
    throw new UserError({ code: 'unsupported-model', message, ...(several && { help: several }) });
  }

  /** A field's value as JSON, shortened. */
  #shown(name: string): string {
    const text = JSON.stringify(this.#json[name]) ?? 'nothing';
    return text.length > mostShown ? `${text.slice(0, mostShown)}...` : text;
  }

  #value(name: string): Json | undefined {
    this.#read.add(name);
    return this.#json[name];
  }
}

const mostShown = 80;

const unknownFields = {
  one: 'it may change what the model computes; if it does not, load a copy of the model without it',
  several: 'they may change what the model computes; if they do not, load a copy of the model without them',
};

const helpFor: Readonly<Record<string, string>> = {
  quantization_config:
    'quantized weights are read from GGUF files only: load the model that was quantized, or its GGUF file',
};
