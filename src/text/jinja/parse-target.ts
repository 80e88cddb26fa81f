import type { Target } from './nodes.ts';
import type { TokenStream } from './token-stream.ts';

/** Names of values, which nothing can be assigned to. */
export const constants: Readonly<Record<string, boolean | null>> = {
  ...{ true: true, True: true, false: false, False: false, none: null, None: null },
};

/** What `set`, `for` and `with` assign to. */
export function parseTarget(stream: TokenStream, { withFields }: { withFields: boolean }): Target {
  const targets: Target[] = [];
  let isTuple = false;
  do {
    if (targets.length > 0) isTuple = true;
    if (stream.is('end') || stream.isName('in') || stream.isOperator('=') || stream.isOperator(')')) break;
    targets.push(parseOneTarget(stream, withFields));
  } while (stream.skipOperator(','));
  const [only] = targets;
  if (only === undefined) throw stream.unexpected();
  return isTuple ? { kind: 'tuple', targets } : only;
}

function parseOneTarget(stream: TokenStream, withFields: boolean): Target {
  if (stream.skipOperator('(')) {
    const target = parseTarget(stream, { withFields: false });
    stream.expect('operator', ')');
    return target;
  }
  const { line } = stream.current;
  const name = stream.expectName();
  if (Object.hasOwn(constants, name)) throw stream.error(`can't assign to '${name}'`, line);
  if (!withFields || !stream.skipOperator('.')) return { kind: 'name', name };
  return { kind: 'field', namespace: name, name: stream.expectName() };
}
