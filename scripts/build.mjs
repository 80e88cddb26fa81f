// Generates the code that follows from schemas/, then bundles the command and the stage process into dist/.
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { build } from 'esbuild';
import { buildPages } from './build-pages.mjs';
import { buildTypes } from './build-types.mjs';
import { deferSegmenter } from './defer-segmenter.mjs';
import { joinChunks } from './join-chunks.mjs';
import { skipIndexes } from './skip-indexes.mjs';

const generated = spawnSync(process.execPath, ['scripts/generate.mjs'], { stdio: 'inherit' });
if (generated.status !== 0) process.exit(1);

// Packages that every command loads are bundled: reading their hundreds of small files would take most of the start-up time.
const bundled = [
  ...['commander', 'picocolors', 'string-width', 'yaml', 'canonicalize', 'fastest-levenshtein'],
  ...['ajv', 'execa', 'hono', '@hono/node-server'],
  // Its dozens of packages would be installed with tuneloom. Only an s3: remote loads it.
  ...['@aws-sdk/client-s3'],
  // Only plots load these, and a plot is seldom drawn: a user need not install their seventy packages.
  ...['vega', 'vega-lite', '@dagrejs/dagre'],
];
const { dependencies, optionalDependencies, peerDependencies, devDependencies } = JSON.parse(
  await readFile('package.json', 'utf8'),
);
const external = Object.keys({
  ...dependencies,
  ...optionalDependencies,
  ...peerDependencies,
  ...devDependencies,
}).filter((name) => !bundled.includes(name));

const built = await build({
  entryPoints: {
    tuneloom: 'src/cli/main.ts',
    'stage-process': 'src/cli/stage-process.ts',
    job: 'src/cli/job.ts',
    'chat-process': 'src/cli/chat-process.ts',
    'model-process': 'src/cli/model-process.ts',
    stage: 'src/stages/stage-api.ts',
    // In the folder of the chunk that starts it.
    'chunks/hash-worker': 'src/runtime/store/hash-worker.ts',
  },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  external: external.flatMap((name) => [name, `${name}/*`]),
  // Some packages are CommonJS and load Node's modules with require.
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
  plugins: [deferSegmenter, skipIndexes],
  // Names stay readable in the stack trace of an internal error that a user reports.
  minifyWhitespace: true,
  minifySyntax: true,
  lineLimit: 160,
  metafile: true,
  sourcemap: 'linked',
  chunkNames: 'chunks/[name]-[hash]',
  logLevel: 'warning',
  write: false,
}).catch(() => process.exit(1));
const pages = await buildPages().catch(() => process.exit(1));

const programFiles = await joinChunks(built, {
  entries: ['src/cli/start.ts', 'src/cli/run/run.ts', 'src/cli/reporter/plain-reporter.ts'],
});
const outputFiles = [...programFiles, ...pages.outputFiles];

// Each file is renamed into place and old chunks go last, so that a command that is running finds whole files.
for (const { path, contents } of outputFiles) {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, contents);
  await rename(temporary, path);
}
const present = new Set(outputFiles.map(({ path }) => relative(resolve('dist'), path)));
for (const file of await readdir('dist', { recursive: true }))
  if (/\.(js|map)$/.test(file) && !present.has(file)) await rm(join('dist', file), { force: true });

await buildTypes('src/stages/stage-api.ts', 'dist/types');

await writeFile('dist/licenses.txt', await licensesOf([built.metafile, pages.metafile]));

await chmod('dist/tuneloom.js', 0o755);
// npm does not link a package's own command; this link makes `npx tuneloom` work in the checkout.
await symlink('../../dist/tuneloom.js', 'node_modules/.bin/tuneloom').catch(() => undefined);

/** The licenses of the bundled packages, which must be distributed with every copy. */
async function licensesOf(metafiles) {
  const inputs = metafiles.flatMap((metafile) => Object.keys(metafile.inputs));
  const folders = inputs.flatMap((path) => /^node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
  const texts = [...new Set(folders)].sort().map(async (folder) => {
    const text = (await licenseIn(folder)) ?? (await licenseOfScope(folder));
    if (text === undefined) throw new Error(`${folder} has no license file`);
    return `${folder.replace('node_modules/', '')}\n\n${text}`;
  });
  return (await Promise.all(texts)).join('\n\n');
}

async function licenseIn(folder) {
  const name = (await readdir(folder)).find((name) => /^licen[cs]e/i.test(name));
  return name === undefined ? undefined : readFile(join(folder, name), 'utf8');
}

/** Some packages leave their license file to a package of the same repository, whose license they name. */
async function licenseOfScope(folder) {
  const scope = dirname(folder);
  const licenseNamed = async (path) => JSON.parse(await readFile(join(path, 'package.json'), 'utf8')).license;
  const license = await licenseNamed(folder);
  for (const name of scope === 'node_modules' ? [] : await readdir(scope)) {
    const sibling = join(scope, name);
    const text = (await licenseNamed(sibling)) === license ? await licenseIn(sibling) : undefined;
    if (text !== undefined) return text;
  }
  return undefined;
}
