import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseAst } from 'vitest/node';
import { root } from './architecture/imports.ts';

/** A node of a syntax tree, as ESTree has it. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';

const childrenOf = (node: Node): readonly Node[] => Object.values(node).flat().filter(isNode);

const fields = (value: unknown): Node | undefined => (isNode(value) ? value : undefined);

const texts = new Map(
  ['src', 'tests'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((path) => join(folder, path))
      .filter((path) => /\.tsx?$/.test(path) && !path.includes('generated') && !path.includes('fixtures'))
      .map((path) => [path, readFileSync(join(root, path), 'utf8')] as const),
  ),
);

const programs = new Map(
  [...texts].map(([path, text]) => [
    path,
    parseAst(text, { lang: path.endsWith('x') ? 'tsx' : 'ts' }) as unknown as Node, // every node has a type
  ]),
);

const nameOf = (node: Node | undefined): string | undefined =>
  typeof node?.name === 'string' ? node.name : fields(node?.property) && nameOf(fields(node?.property));

const isFunction = ({ type }: Node): boolean => /Function|^TSEmptyBodyFunction/.test(type);

/** Whether a function, or what describes one, gives a promise. */
const givesPromise = (node: Node | undefined): boolean => {
  if (node === undefined) return false;
  const type = fields(fields(node.returnType)?.typeAnnotation);
  const annotated = fields(fields(node.typeAnnotation)?.typeAnnotation);
  const isPromise = nameOf(fields(type?.typeName)) === 'Promise';
  return node.async === true || isPromise || (annotated !== undefined && givesPromise(annotated));
};

/** The names of the functions and methods that a program declares and that give promises; of imports, those of Node. */
function promising(program: Node): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (node: Node): void => {
    const source = fields(node.source)?.value;
    if (
      node.type === 'ImportDeclaration' &&
      typeof source === 'string' &&
      /^node:\w+\/promises$/.test(source)
    )
      for (const each of childrenOf(node)) names.add(nameOf(fields(each.local)) ?? '');
    const named = fields(node.id) ?? fields(node.key) ?? (node.type === 'Identifier' ? node : undefined);
    const value = fields(node.init) ?? fields(node.value) ?? node;
    if (named !== undefined && givesPromise(value)) names.add(nameOf(named) ?? '');
    for (const each of childrenOf(node)) visit(each);
  };
  visit(program);
  return names;
}

/** The names by which a program calls what may give a promise: `open()` if it declares or imports that, `x.open()` always. */
function promisingCalls(program: Node, everywhere: ReadonlySet<string>) {
  const own = promising(program);
  const imported = new Set(
    childrenOf(program)
      .filter(({ type }) => type === 'ImportDeclaration')
      .flatMap(childrenOf)
      .map((each) => nameOf(fields(each.local)) ?? ''),
  );
  return (call: Node): boolean => {
    const callee = fields(call.callee);
    const name = nameOf(callee) ?? '';
    if (callee?.type === 'Identifier') return own.has(name) || (imported.has(name) && everywhere.has(name));
    return everywhere.has(name) && !(name in Array.prototype || name in String.prototype);
  };
}

/** What a `return` gives: the branches of a condition, without types. */
function returned(node: Node | undefined): readonly Node[] {
  switch (node?.type) {
    case undefined:
      return [];
    case 'ConditionalExpression':
      return [...returned(fields(node.consequent)), ...returned(fields(node.alternate))];
    case 'LogicalExpression':
      return [...returned(fields(node.left)), ...returned(fields(node.right))];
    case 'ChainExpression':
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
      return returned(fields(node.expression));
    default:
      return node ? [node] : [];
  }
}

interface Place {
  /** Inside a function that gives a promise. */
  readonly isAsync: boolean;
  /** Something is cleaned up as soon as the function returns. */
  readonly cleans: boolean;
}

/** The calls that are returned without `await` where something is cleaned up as soon as the function returns. */
function* returnedCalls(
  node: Node,
  { isAsync, cleans }: Place = { isAsync: false, cleans: false },
): Generator<Node> {
  if (node.type === 'TryStatement') {
    const finalizer = fields(node.finalizer);
    for (const each of [fields(node.block), fields(node.handler)])
      if (each) yield* returnedCalls(each, { isAsync, cleans: cleans || finalizer !== undefined });
    if (finalizer) yield* returnedCalls(finalizer, { isAsync, cleans });
    return;
  }
  if (node.type === 'ReturnStatement' && cleans && isAsync)
    yield* returned(fields(node.argument)).filter(({ type }) => type === 'CallExpression');
  let place: Place = isFunction(node) ? { isAsync: givesPromise(node), cleans: false } : { isAsync, cleans };
  for (const each of childrenOf(node)) {
    yield* returnedCalls(each, place);
    if (String(each.kind).includes('using')) place = { ...place, cleans: true };
  }
}

// `using` and `finally` clean up when the function returns: a promise that it returns without `await` is still at work.
test('no function returns a promise without `await` where that would clean up before the work is done', () => {
  const everywhere = new Set([
    'then',
    'catch',
    'finally',
    ...[...programs.values()].flatMap((each) => [...promising(each)]),
  ]);
  const early = [...programs].flatMap(([path, program]) =>
    [...returnedCalls(program)]
      .filter(promisingCalls(program, everywhere))
      .map(({ start, end }) => `${path}: return ${texts.get(path)?.slice(start, end).split('\n')[0]}`),
  );
  expect(early).toEqual([]);
});
