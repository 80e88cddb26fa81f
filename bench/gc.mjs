import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import canonicalize from 'canonicalize';

// gc and verify on a store of many small blobs: results of one folder each, half of them long unused.
// node bench/gc.mjs [blobs] [blobs a result]
const count = Number(process.argv[2] ?? 100_000);
const each = Number(process.argv[3] ?? 10);
const tuneloom = join(resolve(import.meta.dirname, '..'), 'dist/tuneloom.js');
const folder = mkdtempSync(join(tmpdir(), 'tuneloom-bench-'));
const store = join(folder, 'artifacts');
const day = 24 * 60 * 60 * 1000;

/** Preloaded: prints the peak memory, and moves gc's clock forward by twenty days. */
const preload = `
  process.on('exit', () => console.error('peak ' + process.resourceUsage().maxRSS));
  const Present = Date;
  if (process.argv[2] === 'gc') globalThis.Date = class extends Present {
    constructor(value) { super(value ?? Present.now() + ${20 * day}); }
    static now() { return Present.now() + ${20 * day}; }
  };`;

try {
  writeFileSync(join(folder, 'package.json'), '{}');
  const shell = '{ uses: shell, with: { command: "echo 1 > $OUT_a", outputs: { a: file } } }';
  writeFileSync(join(folder, 'p.yaml'), `stages:\n  one: ${shell}\n`);
  runTuneloom('run');
  fill();
  console.log(`${count} blobs in ${count / each} results, half of which were last used eighty days ago`);
  for (const words of ['verify', 'verify', 'gc --dry-run', 'gc --yes', 'gc --yes', 'verify'])
    console.log(`${words.padEnd(14)}${runTuneloom(...words.split(' '))}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function runTuneloom(...words) {
  const begun = performance.now();
  const options = [`--import=data:text/javascript,${encodeURIComponent(preload)}`];
  const { status, stdout, stderr } = spawnSync('node', [...options, tuneloom, ...words], {
    cwd: folder,
    encoding: 'utf8',
  });
  const seconds = (performance.now() - begun) / 1000;
  if (status !== 0) throw new Error(`${words.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
  const mebibytes = Number(/peak (\d+)/.exec(stderr)?.[1]) / 1024;
  const lastLine = stdout.trimEnd().split('\n').at(-1);
  return `${seconds.toFixed(2)} s, at most ${mebibytes.toFixed(0)} MiB: ${lastLine}`;
}

/** Adds results like that of the run, with other keys and contents. */
function fill() {
  const [name = ''] = readdirSync(join(store, 'actions'), { recursive: true }).filter((path) =>
    path.endsWith('.json'),
  );
  const { seal: _, ...record } = JSON.parse(readFileSync(join(store, 'actions', name), 'utf8'));
  const now = Date.now() / 1000;
  for (let result = 0; result < count / each; result += 1) {
    const files = Array.from({ length: each - 1 }, (_, file) => {
      const text = `${result} ${file} ${'x'.repeat(1000)}`;
      return { digest: `sha256:${writeBlob(text)}`, path: `${file}`.padStart(5, '0'), size: text.length };
    });
    const outputs = { a: `sha256-folder:${writeBlob(JSON.stringify({ files }))}` };
    const material = { ...record.material, config: { ...record.material.config, result } };
    const key = sha256(canonicalize(material));
    const path = join(store, 'actions', key.slice(0, 2), `${key}.json`);
    writeFile(path, JSON.stringify({ ...record, key, material, outputs }));
    if (result % 2 === 0) utimesSync(path, now - (60 * day) / 1000, now - (60 * day) / 1000);
  }
}

function writeBlob(text) {
  const hex = sha256(text);
  writeFile(join(store, 'blobs/sha256', hex.slice(0, 2), hex.slice(2)), text);
  return hex;
}

function writeFile(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function sha256(text) {
  return createHash('sha256').update(text).digest('hex');
}
