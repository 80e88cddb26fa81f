import { equals } from './comparison.ts';
import { typeError } from './python-error.ts';
import { type Args, type Attributes, Callable, orElse, Tuple, Undefined, type Value } from './values.ts';

/** The variable `loop`, which moves along the items. */
export class Loop implements Attributes {
  readonly type = 'LoopContext';
  readonly call: (args: Args) => Value;
  readonly #items: readonly Value[];
  readonly #depth: number;
  #index = -1;
  #lastChanged: Value | undefined;

  constructor(
    items: readonly Value[],
    { depth, recurse }: { depth: number; recurse: ((items: Value) => string) | undefined },
  ) {
    this.#items = items;
    this.#depth = depth;
    this.call = ({ positional }) => {
      if (recurse === undefined)
        throw typeError("The loop must have the 'recursive' marker to be called recursively.");
      return recurse(positional[0] ?? null);
    };
  }

  /** The next item; undefined after the last. */
  next(): Value | undefined {
    this.#index++;
    return this.#items[this.#index];
  }

  text = (): string => `<LoopContext ${this.#index + 1}/${this.#items.length}>`;

  attribute = (name: string): Value | undefined => {
    const [index, { length }] = [this.#index, this.#items];
    switch (name) {
      case 'index':
        return BigInt(index + 1);
      case 'index0':
        return BigInt(index);
      case 'revindex':
        return BigInt(length - index);
      case 'revindex0':
        return BigInt(length - index - 1);
      case 'first':
        return index === 0;
      case 'last':
        return index === length - 1;
      case 'length':
        return BigInt(length);
      case 'depth':
        return BigInt(this.#depth + 1);
      case 'depth0':
        return BigInt(this.#depth);
      case 'previtem':
        return index === 0 ? new Undefined('there is no previous item') : (this.#items[index - 1] ?? null);
      case 'nextitem':
        return orElse(this.#items[index + 1], new Undefined('there is no next item'));
      case 'cycle':
        return new Callable('cycle', ({ positional }) => {
          if (positional.length === 0) throw typeError('no items for cycling given');
          return positional[index % positional.length] ?? null;
        });
      case 'changed':
        return new Callable('changed', ({ positional }) => this.#hasChanged(new Tuple(positional)));
      default:
        return undefined;
    }
  };

  #hasChanged(value: Value): boolean {
    const changed = this.#lastChanged === undefined || !equals(this.#lastChanged, value);
    this.#lastChanged = value;
    return changed;
  }
}
