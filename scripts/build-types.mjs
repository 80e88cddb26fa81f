import { spawnSync } from 'node:child_process';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const compiler = fileURLToPath(import.meta.resolve('typescript/package.json')).replace(
  /package\.json$/,
  'bin/tsc',
);
const options = [
  '--ignoreConfig --declaration --emitDeclarationOnly --allowImportingTsExtensions --strict --skipLibCheck',
  '--exactOptionalPropertyTypes --verbatimModuleSyntax --target es2023 --lib es2023,esnext.disposable',
  '--module nodenext --moduleResolution nodenext --types node --rootDir src',
].flatMap((line) => line.split(' '));

/** Writes the types of `entry` and of everything that it uses to `folder`, for authors of their own stages. */
export async function buildTypes(entry, folder) {
  const temporary = `${folder}.${process.pid}`;
  const { status } = spawnSync(process.execPath, [compiler, entry, ...options, '--outDir', temporary], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
  for (const name of await readdir(temporary, { recursive: true })) {
    if (!name.endsWith('.d.ts')) continue;
    const path = join(temporary, name);
    const text = await readFile(path, 'utf8');
    // TypeScript looks for a declaration beside a name in .js.
    await writeFile(path, text.replaceAll(/((?:from |import\()'\.[^']*)\.ts'/g, "$1.js'"));
  }
  await keepUsed(temporary, entry.replace(/^src\//, '').replace(/\.ts$/, '.d.ts'));
  await rm(folder, { recursive: true, force: true });
  await rename(temporary, folder);
}

/** Removes the declarations that `entry` does not reach. Of a layer's index it reaches only the imported names. */
async function keepUsed(folder, entry) {
  const texts = new Map();
  for (const name of await readdir(folder, { recursive: true }))
    if (name.endsWith('.d.ts')) texts.set(name, await readFile(join(folder, name), 'utf8'));
  const used = new Map();
  const visit = (file, names) => {
    const known = used.get(file) ?? new Set();
    const added = names.filter((name) => !known.has(name));
    if (used.has(file) && added.length === 0) return;
    used.set(file, new Set([...known, ...added]));
    for (const { names: imported, path } of importsOf(file)) {
      const wanted = isIndex(file) ? imported.filter((name) => names.includes(name)) : imported;
      if (wanted.length > 0) visit(path, wanted);
    }
  };
  const importsOf = (file) =>
    [...texts.get(file).matchAll(statement)].map(([, , list, path]) => ({
      names: list.split(',').map(plainName),
      path: join(file, '..', path).replace(/\.js$/, '.d.ts'),
    }));
  visit(entry, ['']);
  for (const [file, text] of texts) {
    const names = used.get(file);
    if (names === undefined) await rm(join(folder, file));
    else if (isIndex(file))
      await writeFile(
        join(folder, file),
        text
          .replaceAll(statement, (_, type, list, path) => {
            const kept = list.split(',').filter((name) => names.has(plainName(name)));
            return kept.length === 0 ? '' : `export ${type ?? ''}{${kept.join(',')}} from '${path}';`;
          })
          .replaceAll(/\n{2,}/g, '\n'),
      );
  }
}

const plainName = (name) =>
  name
    .trim()
    .replace(/^type /, '')
    .split(' as ')[0];
const statement = /(?:import|export) (type )?\{([^}]*)\} from '(\.[^']*)';/g;
const isIndex = (file) => file.endsWith('index.d.ts');
