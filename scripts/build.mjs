// Generates what follows from schemas/, then bundles the command and the stage process into dist/; packages stay external.
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { build } from 'esbuild';

const generated = spawnSync(process.execPath, ['scripts/generate.mjs'], { stdio: 'inherit' });
if (generated.status !== 0) process.exit(1);

const { outputFiles } = await build({
  entryPoints: { retune: 'src/cli/main.ts', 'stage-process': 'src/cli/stage-process.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  sourcemap: 'linked',
  chunkNames: 'chunks/[name]-[hash]',
  logLevel: 'warning',
  write: false,
}).catch(() => process.exit(1));

// Through renames, and the old chunks last, so that a command that runs meanwhile finds whole files.
for (const { path, contents } of outputFiles) {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, contents);
  await rename(temporary, path);
}
const built = new Set(outputFiles.map(({ path }) => relative(resolve('dist'), path)));
for (const file of await readdir('dist', { recursive: true }))
  if (/\.(js|map)$/.test(file) && !built.has(file)) await rm(join('dist', file), { force: true });

await chmod('dist/retune.js', 0o755);
// npm links a package's own command nowhere; with this `npx retune` works in the checkout, at once.
await symlink('../../dist/retune.js', 'node_modules/.bin/retune').catch(() => undefined);
