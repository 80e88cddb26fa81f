import { Environment, Interpreter, parse, Template, tokenize } from '@huggingface/jinja';
import { isObject } from '../../core/index.ts';

type Node = ReturnType<typeof parse>['body'][number];

/** Names that no template can contain: a function that takes an index into the output expressions, and a variable. */
const guardName = ' no value';
const valueName = ' value';

/** A Jinja template in which each `{{ value }}` without a value calls `noValue` instead of writing nothing. */
export interface StrictTemplate {
  /** Every name in the template: variables, but also attributes and filters. */
  readonly names: ReadonlySet<string>;
  readonly render: (
    variables: Readonly<Record<string, unknown>>,
    /** Called with the expression between `{{ }}`: `answer`, `messages[-1].content`. */
    noValue: (expression: string) => never,
  ) => string;
}

/** Keeps white space unchanged, including the final line feed. Throws what the parser throws. */
export function strictTemplate(source: string): StrictTemplate {
  // Not with the library's Template, which drops line feeds after blocks. Jinja itself drops one final line feed.
  const program = parse(tokenize(`${source}\n`));
  const names = namesIn(program);
  const outputs: string[] = [];
  program.body = program.body.flatMap((node: Node) => guardOutputs(node, outputs));
  return {
    names,
    render: (variables, noValue) => {
      const environment = new Environment();
      const guard = { [guardName]: (index: number) => noValue(outputs[index] ?? '') };
      for (const [name, value] of Object.entries({ ...globals, ...variables, ...guard }))
        environment.set(name, value);
      return String(new Interpreter(environment).run(program).value);
    },
  };
}

/** What a template can use besides its variables. */
const globals = {
  ...{ true: true, True: true, false: false, False: false, none: null, None: null },
  range: boundedRange,
  raise_exception: (message: unknown): never => {
    throw new Error(String(message));
  },
};

/** Evaluates a value once, and writes it if there is one. */
const guard = new Template(
  '{% set ONCE = VALUE %}' +
    '{% if ONCE is undefined or ONCE is none %}{{ NO_VALUE(INDEX) }}{% else %}{{ ONCE }}{% endif %}',
).parsed.body;

const blocks = new Set(['body', 'alternate', 'defaultBlock']);

/** Guards each expression that is written, in this node and in the blocks below it. */
function guardOutputs(node: Node, outputs: string[]): readonly Node[] {
  if (isText(node)) return [node];
  if (!isStatement(node)) {
    outputs.push(sourceOf(node));
    const output = { value: node, index: outputs.length - 1 };
    return guard.map((part: Node) => substitute(part, output) as Node); // a node in, a node out
  }
  const guarded = mapFields(node, (field, name) =>
    blocks.has(name) && Array.isArray(field) ? field.flatMap((child) => guardOutputs(child, outputs)) : field,
  );
  return [guarded];
}

function substitute(part: unknown, output: { value: Node; index: number }): unknown {
  if (Array.isArray(part)) return part.map((item) => substitute(item, output));
  if (!isNode(part)) return part;
  if (isIdentifier(part, 'VALUE')) return output.value;
  if (isIdentifier(part, 'INDEX')) return integer(output.index);
  if (isIdentifier(part, 'NO_VALUE')) return renamed(part, guardName);
  if (isIdentifier(part, 'ONCE')) return renamed(part, valueName);
  return mapFields(part, (field) => substitute(field, output));
}

const renamed = (identifier: Node, value: string): Node =>
  mapFields(identifier, (field, name) => (name === 'value' ? value : field));
const integer = (value: number): Node | undefined => new Template(`{{ ${value} }}`).parsed.body[0];

const statements = new Set([
  'If',
  'For',
  'Set',
  'Macro',
  'Break',
  'Continue',
  'Comment',
  'FilterStatement',
  'CallStatement',
]);
const isStatement = (node: Node): boolean => statements.has(node.type);
const isText = (node: Node): boolean => node.type === 'StringLiteral';
const isNode = (part: unknown): part is Node => isObject(part) && typeof part.type === 'string';
const isIdentifier = (node: Node, name: string): boolean =>
  node.type === 'Identifier' && 'value' in node && node.value === name;

/** A copy of the node, of the same class, with `change` applied to each of its fields. */
function mapFields(node: Node, change: (field: unknown, name: string) => unknown): Node {
  const fields = Object.entries(node).map(([name, field]) => [name, change(field, name)]);
  return Object.assign(Object.create(Object.getPrototypeOf(node)), Object.fromEntries(fields));
}

/** Source text for an expression. */
function sourceOf(expression: Node): string {
  const template = new Template('');
  template.parsed.body = [expression];
  return template.format().replace(/^\{\{-? ?| ?-?\}\}$/g, '');
}

function namesIn(part: unknown, names = new Set<string>()): ReadonlySet<string> {
  if (isNode(part) && part.type === 'Identifier' && 'value' in part) names.add(String(part.value));
  if (typeof part === 'object' && part !== null) {
    const children = part instanceof Map ? [...part].flat() : Object.values(part);
    for (const child of children) namesIn(child, names);
  }
  return names;
}

const most = 1_000_000;

/** Jinja's `range` with a limit, as it holds its numbers in memory. */
export function boundedRange(first: number, second?: number | null, step = 1): readonly number[] {
  const [start, stop] = second === undefined || second === null ? [0, first] : [first, second];
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (Number.isNaN(count) || step === 0)
    throw new Error('range() takes whole numbers, and a step that is not 0');
  if (count > most) throw new Error(`range() makes at most ${most} numbers here, not ${count}`);
  return Array.from({ length: count }, (_, index) => start + index * step);
}
