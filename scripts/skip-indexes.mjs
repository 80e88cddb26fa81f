import { readFile } from 'node:fs/promises';
import { dirname, relative, resolve, sep } from 'node:path';

const importFromIndex = /^(import|export) \{([^}]*)\} from '(\.[^']*\/index\.ts)';/gm;

/**
 * An esbuild plugin that imports directly from a layer's files what the source imports from the layer's index. esbuild
 * splits code by files, so a chunk that imports one name from an index would load the whole layer, with its libraries.
 */
export const skipIndexes = {
  name: 'skip-indexes',
  setup(build) {
    build.onLoad({ filter: /[/\\]src[/\\].*\.tsx?$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      if (path.endsWith(`${sep}index.ts`)) return { contents: text, loader: 'ts' };
      const files = new Map();
      for (const [, , names, index] of text.matchAll(importFromIndex))
        for (const { name } of valuesIn(names))
          files.set(`${index} ${name}`, await declaredIn(resolve(dirname(path), index), name));
      const contents = text.replaceAll(importFromIndex, (statement, keyword, names, index) => {
        const direct = valuesIn(names).map(({ name, as }) => {
          const file = relative(dirname(path), files.get(`${index} ${name}`))
            .split(sep)
            .join('/');
          return `${keyword} { ${name} as ${as} } from './${file}';`;
        });
        // Keeps the number of lines, for the source map.
        return direct.join(' ') + '\n'.repeat(statement.split('\n').length - 1);
      });
      return { contents, loader: path.endsWith('x') ? 'tsx' : 'ts' };
    });
  },
};

/** `a, type B, c as d`, without the types. */
const valuesIn = (names) =>
  names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '))
    .map((text) => text.split(' as '))
    .map(([name, as = name]) => ({ name, as }));

/** The file that an index re-exports a name from, through further indexes. */
async function declaredIn(index, name) {
  const text = await readFile(index, 'utf8');
  for (const [, names, path] of text.matchAll(/^export \{([^}]*)\} from '([^']*)';/gm)) {
    const found = valuesIn(names).find(({ as }) => as === name);
    if (found === undefined) continue;
    if (found.name !== name) throw new Error(`${index} renames ${name}, which skip-indexes does not follow`);
    const file = resolve(dirname(index), path);
    return path.endsWith('/index.ts') ? declaredIn(file, name) : file;
  }
  throw new Error(`${index} exports no ${name}`);
}
