import type { Dict, Value } from './values.ts';

/** Variables of a block that has its own, and those around it. */
export class Scope {
  /** Whether what has no value may be tested but not written. */
  readonly strict: boolean;
  readonly #variables = new Map<string, Value>();
  readonly #outer: Scope | Dict;

  constructor(outer: Scope | Dict, { strict }: { readonly strict: boolean } = outer as Scope) {
    this.#outer = outer;
    this.strict = strict;
  }

  get(name: string): Value | undefined {
    const value = this.#variables.get(name);
    return value === undefined ? this.#outer.get(name) : value;
  }

  set(name: string, value: Value): void {
    this.#variables.set(name, value);
  }
}

/** What `{% generation %}` wrote and where. */
interface Generated {
  readonly start: number;
  readonly text: string;
}

/** Called with the source of an expression that is to be written but has no value. */
export type NoValue = (expression: string) => never;

/** One rendering of a template. */
export interface Rendering {
  readonly generated: Generated[];
  readonly noValue: NoValue | undefined;
  /** Where text is written now. */
  output: Output;
  /** How many macros and recursive loops are running. */
  depth: number;
}

/** The text that `work` writes, as a value. */
export function capture(rendering: Rendering, work: () => void): string {
  const outer = rendering.output;
  rendering.output = new Output(outer);
  try {
    work();
    return rendering.output.text();
  } finally {
    rendering.output = outer;
  }
}

/** Collects the text of a template, or of a block in it that is used as a value. */
export class Output {
  /** Where this text would begin in the template's, were it written next. */
  readonly #start: number;
  #parts: string[] = [];
  #length = 0;

  constructor(around?: Output) {
    this.#start = around === undefined ? 0 : around.position;
  }

  get position(): number {
    return this.#start + this.#length;
  }

  write(text: string): void {
    this.#parts.push(text);
    this.#length += text.length;
  }

  get length(): number {
    return this.#length;
  }

  text(): string {
    return this.#parts.join('');
  }

  /** What was written after the first `length` UTF-16 units. */
  since(length: number): string {
    return this.text().slice(length);
  }
}
