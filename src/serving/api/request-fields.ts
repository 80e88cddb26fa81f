import { didYouMean, isList, isObject, type Json, type JsonObject, numberIn } from '../../core/index.ts';
import { ApiError } from './api-error.ts';

/** A value as a request gives it; the reader throws a FieldProblem for one that it cannot use. */
export type ReadField<Value> = (given: Json) => Value;

/** What is wrong with a field, as the rest of a sentence that begins with its name. */
export class FieldProblem extends Error {}

/**
 * The fields of a request. Every one is heeded or refused: what is neither read nor known to ask for nothing is an
 * error. All mistakes are told together. `null` is an absent field.
 */
export class RequestFields {
  readonly #body: JsonObject;
  readonly #known = new Set<string>();
  readonly #problems: { readonly name: string; readonly message: string }[] = [];

  constructor(body: Json) {
    if (!isObject(body))
      throw new ApiError({ status: 400, message: 'the body of the request is not a JSON object' });
    this.#body = body;
  }

  has(name: string): boolean {
    return (this.#body[name] ?? null) !== null && Object.hasOwn(this.#body, name);
  }

  /** The value of a field; undefined where it is absent or has a mistake. */
  read<Value>(name: string, read: ReadField<Value>): Value | undefined {
    this.#known.add(name);
    if (!this.has(name)) return undefined;
    try {
      return read(this.#body[name] ?? null);
    } catch (error) {
      if (!(error instanceof FieldProblem)) throw error;
      this.refuse(name, error.message);
      return undefined;
    }
  }

  /** The same for a field that has to be there. */
  require<Value>(name: string, read: ReadField<Value>): Value | undefined {
    if (!this.has(name)) this.refuse(name, 'is missing');
    return this.read(name, read);
  }

  /** A field that is not supported, except where its value asks for nothing. */
  unsupported(name: string, why: string, asksForNothing: (given: Json) => boolean = () => false): void {
    this.read(name, (given) => {
      if (!asksForNothing(given)) throw new FieldProblem(`is not supported: ${why}`);
    });
  }

  refuse(name: string, message: string): void {
    this.#known.add(name);
    this.#problems.push({ name, message });
  }

  /** Throws the error of all mistakes, unknown fields among them. */
  finish(): void {
    const known = [...this.#known];
    const unknown = Object.keys(this.#body).filter((name) => !this.#known.has(name) && this.has(name));
    for (const name of unknown.slice(0, 8)) {
      const hint = name.length < 64 ? didYouMean(name, known) : undefined;
      this.refuse(
        name.slice(0, 64),
        `is not a field that this server heeds${hint === undefined ? '' : `; ${hint.replace(/\.$/, '')}`}`,
      );
    }
    const [first] = this.#problems;
    if (first === undefined) return;
    const message = this.#problems.map(({ name, message }) => `\`${name}\` ${message}`).join('; ');
    throw new ApiError({ status: 400, message, param: first.name, code: 'invalid_value' });
  }
}

export const text: ReadField<string> = (given) => {
  if (typeof given === 'string') return given;
  throw new FieldProblem('is not a text');
};

export const flag: ReadField<boolean> = (given) => {
  if (typeof given === 'boolean') return given;
  throw new FieldProblem('is neither true nor false');
};

/** A number from `least` to `most`. */
export const number =
  (least: number, most = Number.POSITIVE_INFINITY): ReadField<number> =>
  (given) => {
    const value = numberIn(given);
    if (value !== undefined && value >= least && value <= most) return value;
    throw new FieldProblem(`is not a number ${rangeText(least, most)}`);
  };

export const whole =
  (least: number, most = Number.MAX_SAFE_INTEGER): ReadField<number> =>
  (given) => {
    const value = numberIn(given);
    if (value !== undefined && Number.isSafeInteger(value) && value >= least && value <= most) return value;
    throw new FieldProblem(`is not a whole number ${rangeText(least, most)}`);
  };

const rangeText = (least: number, most: number): string =>
  most === Number.POSITIVE_INFINITY || most === Number.MAX_SAFE_INTEGER
    ? `of at least ${least}`
    : `from ${least} to ${most}`;

/** A list of at most `most` items. */
export const list =
  <Item>(item: ReadField<Item>, most: number): ReadField<readonly Item[]> =>
  (given) => {
    if (!isList(given)) throw new FieldProblem('is not a list');
    if (given.length > most) throw new FieldProblem(`has ${given.length} items, and ${most} is the most`);
    return given.map((one, index) => {
      try {
        return item(one);
      } catch (error) {
        throw error instanceof FieldProblem
          ? new FieldProblem(`has an item ${index} that ${error.message}`)
          : error;
      }
    });
  };

export const object: ReadField<JsonObject> = (given) => {
  if (isObject(given)) return given;
  throw new FieldProblem('is not an object');
};
