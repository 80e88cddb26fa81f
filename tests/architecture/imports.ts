import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Every import of a module's text, in all its forms: `names` are those that it takes from a list in braces. */
export function importsIn(
  text: string,
): readonly { readonly specifier: string; readonly names: readonly string[]; readonly isLazy: boolean }[] {
  const statements = [...text.matchAll(/^(?:import|export)\b([^;'"`]*?)\bfrom\s*'([^']+)'/gm)];
  const others = [...text.matchAll(/^import\s*'([^']+)'|\bimport\s*\(\s*'([^']+)'/gm)];
  return [
    ...statements.map(([, clause = '', specifier = '']) => ({
      specifier,
      names: namesIn(clause),
      isLazy: false,
    })),
    ...others.map(([, bare, called]) => ({
      specifier: bare ?? called ?? '',
      names: [],
      isLazy: called !== undefined,
    })),
  ];
}

const namesIn = (clause: string): readonly string[] =>
  (/\{([^}]*)\}/.exec(clause)?.[1] ?? '')
    .split(',')
    .map((name) =>
      name
        .trim()
        .replace(/^type /, '')
        .replace(/ as .*/, ''),
    )
    .filter((name) => name !== '');

/** Path below src -> the file's text. */
export const texts = new Map(
  readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .map((name) => name.split(sep).join('/'))
    .filter((name) => /\.tsx?$/.test(name) && !name.startsWith('generated/validators/'))
    .sort()
    .map((name) => [name, readFileSync(join(root, 'src', name), 'utf8')] as const),
);

export interface Import {
  readonly from: string;
  /** A path below src, or a package's name. */
  readonly to: string;
  readonly kind: 'file' | 'package' | 'node';
  readonly names: readonly string[];
  /** Whether it is loaded when the code runs into it. */
  readonly isLazy: boolean;
}

export const imports: readonly Import[] = [...texts].flatMap(([from, text]) =>
  importsIn(text).map(({ specifier, names, isLazy }): Import => {
    if (!specifier.startsWith('.'))
      return { from, to: specifier, kind: specifier.startsWith('node:') ? 'node' : 'package', names, isLazy };
    return { from, to: join(dirname(from), specifier).split(sep).join('/'), kind: 'file', names, isLazy };
  }),
);

/** Follows imports depth first (Tarjan's algorithm); each cycle is given as the files of its component. */
export function circles(): readonly (readonly string[])[] {
  const targets = new Map([...texts.keys()].map((file) => [file, new Set<string>()] as const));
  for (const { from, to } of imports) if (texts.has(to)) targets.get(from)?.add(to);
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): number => {
    const number = order.size;
    order.set(file, number);
    lowest.set(file, number);
    const at = open.push(file) - 1;
    for (const to of targets.get(file) ?? []) {
      const known = open.includes(to) ? (order.get(to) ?? number) : number;
      const reached = order.has(to) ? known : visit(to);
      lowest.set(file, Math.min(lowest.get(file) ?? number, reached));
    }
    if (lowest.get(file) === number) {
      const component = open.splice(at);
      if (component.length > 1 || targets.get(file)?.has(file)) found.push(component);
    }
    return lowest.get(file) ?? number;
  };
  for (const file of texts.keys()) if (!order.has(file)) visit(file);
  return found;
}

/** The files that use a file, those that take its names from an index included. */
export function importersOf(file: string): ReadonlySet<string> {
  const direct = imports.filter(({ to }) => to === file);
  const users = new Set(direct.map(({ from }) => from).filter((from) => basename(from) !== 'index.ts'));
  for (const { from: index, names } of direct.filter(({ from }) => basename(from) === 'index.ts'))
    for (const { from, to, names: taken } of imports)
      if (to === index && taken.some((name) => names.includes(name))) users.add(from);
  return users;
}
