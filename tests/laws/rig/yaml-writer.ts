import type { Json } from '../../../src/core/json.ts';

/** Writes lines of YAML; its style decides order, quotes and comments, none of which mean anything. */
export class YamlWriter {
  readonly #lines: string[] = [];
  #state: number;

  constructor(style: number) {
    this.#state = style;
  }

  /** Returns the number of the line, the first is 1. */
  line(text: string): number {
    return this.#lines.push(text);
  }

  /** Adds each of these lines, which have no meaning, or not. */
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

  text(): string {
    const end = this.chance(5) ? '\r\n' : '\n';
    return this.#lines.map((text) => `${text}${end}`).join('');
  }
}
