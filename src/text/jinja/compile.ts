import type { JsonObject } from '../../core/index.ts';
import { execute } from './execute.ts';
import { isFilter, isTest } from './filters.ts';
import { globals } from './globals.ts';
import { startGrowth } from './growth.ts';
import { InputDict } from './input.ts';
import type { Body } from './nodes.ts';
import { parseTemplate } from './parse-template.ts';
import { PythonError, RaisedByTemplate, TemplateSyntaxError } from './python-error.ts';
import { type NoValue, Output, type Rendering, Scope } from './scope.ts';
import type { WhiteSpaceRules } from './tokens.ts';
import { Dict, setStrictness, type Value } from './values.ts';

interface RenderOptions {
  /** Called for each `{{ }}` without a value, which otherwise writes nothing, or `None`. */
  readonly noValue?: NoValue | undefined;
  /** Whether what has no value may not even be tested, as with Jinja's StrictUndefined; `is defined` still tells. */
  readonly strict?: boolean | undefined;
  /** Whether to note which values of the input the template reads. */
  readonly trackReads?: boolean | undefined;
}

/** A part of a text, as UTF-16 offsets. */
export interface TextSpan {
  readonly start: number;
  readonly end: number;
}

interface RenderedTemplate {
  readonly text: string;
  /** What `{% generation %}` blocks wrote, in order. */
  readonly generated: readonly TextSpan[];
  /** JSON pointers of the values that were read, if that was asked for. */
  readonly read: ReadonlySet<string> | undefined;
}

/** A template as Jinja 3.1 renders it in the sandbox of transformers. */
export interface JinjaTemplate {
  /** The names in the template that are variables somewhere. */
  readonly names: ReadonlySet<string>;
  /** Whether it has a `{% generation %}` block. */
  readonly marksGeneration: boolean;
  /** Throws a PythonError, or a RaisedByTemplate with what the template says. */
  readonly render: (variables: JsonObject, options?: RenderOptions) => RenderedTemplate;
}

/** Parses a template. Throws a TemplateSyntaxError. */
export function compileJinja(source: string, rules: WhiteSpaceRules): JinjaTemplate {
  const { body, names, marksGeneration } = parse(source, rules);
  return {
    names,
    marksGeneration,
    render: (variables, { noValue, strict = false, trackReads } = {}) => {
      startGrowth();
      setStrictness(strict);
      const read = trackReads === true ? new Set<string>() : undefined;
      const inputs = new Variables(new InputDict(variables, '', read && ((pointer) => read.add(pointer))));
      const scope = new Scope(inputs, { strict: noValue !== undefined });
      const rendering: Rendering = { generated: [], noValue, output: new Output(), depth: 0 };
      try {
        execute(body, { scope, rendering });
      } catch (error) {
        throw error instanceof RangeError ? new PythonError('Limit', 'it is nested too deeply') : error;
      }
      const text = rendering.output.text();
      return { text, generated: spansOf(rendering, text), read };
    },
  };
}

function parse(source: string, rules: WhiteSpaceRules): { readonly body: Body } & ReturnType<typeof namesIn> {
  try {
    const body = parseTemplate(source, rules);
    return { body, ...namesIn(body) };
  } catch (error) {
    throw error instanceof RangeError ? new TemplateSyntaxError('it is nested too deeply', 1) : error;
  }
}

/** The variables of the input, and behind them Jinja's functions. */
class Variables extends Dict {
  readonly #input: InputDict;

  constructor(input: InputDict) {
    super(globals);
    this.#input = input;
  }

  override get(name: Value): Value | undefined {
    const value = this.#input.get(name);
    return value === undefined ? super.get(name) : value;
  }
}

/** What a template mentions, besides text. Throws a TemplateSyntaxError for a filter or test that Jinja does not know. */
function namesIn(body: Body): {
  readonly names: ReadonlySet<string>;
  readonly marksGeneration: boolean;
} {
  const names = new Set<string>();
  let marksGeneration = false;
  const visit = (part: unknown, isConditional: boolean): void => {
    if (typeof part !== 'object' || part === null) return;
    const { kind, name, line } = part as { kind?: unknown; name?: unknown; line?: unknown }; // a node or a list
    if (kind === 'name') names.add(String(name));
    if (kind === 'generation') marksGeneration = true;
    // Like Jinja, which lets a template ask `'name' is filter` before it uses one.
    if (!isConditional && kind === 'filter' && !isFilter(String(name)))
      throw new TemplateSyntaxError(`No filter named '${name}'.`, Number(line));
    if (!isConditional && kind === 'test' && !isTest(String(name)))
      throw new TemplateSyntaxError(`No test named '${name}'.`, Number(line));
    const within = isConditional || kind === 'if' || kind === 'conditional';
    for (const child of Object.values(part)) visit(child, within);
  };
  visit(body, false);
  return { names, marksGeneration };
}

function spansOf({ generated }: Rendering, text: string): readonly TextSpan[] {
  const spans = generated
    .map(({ start, text: own }) => ({ start, end: start + own.length, own }))
    .sort((a, b) => a.start - b.start);
  return spans.map(({ start, end, own }) => {
    if (text.slice(start, end) === own) return { start, end };
    throw new PythonError(
      'Unsupported',
      'it changes or moves the text of a {% generation %} block after the block, which is not supported',
    );
  });
}

/** What went wrong in a template, with the line if the template has several: `line 3: 'x' is undefined`. */
export function failureIn(error: unknown, source: string): string {
  if (!(error instanceof PythonError || error instanceof TemplateSyntaxError)) return String(error);
  const isLong = source.trimEnd().includes('\n');
  const line = isLong && error.line !== undefined ? `line ${error.line}: ` : '';
  const within = error instanceof PythonError && error.within !== undefined ? shown(error.within) : '';
  return line + error.message + within;
}

const shown = (expression: string): string =>
  ` in \`{{ ${expression.length > 80 ? `${expression.slice(0, 80)}...` : expression} }}\``;

export { PythonError, RaisedByTemplate, TemplateSyntaxError };
