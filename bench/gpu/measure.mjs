import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median } from '../median.mjs';
import { ourWorker } from '../worker.mjs';

// See run.sh. A part that fails or takes too long is reported as such, and the others go on.
const { values: options } = parseArgs({
  options: { small: { type: 'boolean' }, backends: { type: 'string' }, out: { type: 'string' } },
});
const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'tuneloom-gpu-'));
const sizes = options.small
  ? { layers: 2, hiddenSize: 64, heads: 2, batch: 2, length: 24, steps: 3, newTokens: 4, side: 128 }
  : { layers: 12, hiddenSize: 768, heads: 12, batch: 8, length: 160, steps: 12, newTokens: 64, side: 4096 };

const results = { sizes, date: new Date().toISOString(), node: process.version };
results.doctor = part(() => JSON.parse(tuneloom('doctor', '--json')).findings);
const backends = options.backends?.split(',') ?? usableBackends(results.doctor);
for (const backend of backends.filter((name) => name !== 'onnx'))
  results[`conformance ${backend}`] = part(() => conformance(backend));
for (const backend of backends) results[`quickstart ${backend}`] = part(() => quickstart(backend));
const model = await partAsync(makeModel);
for (const backend of backends) {
  const found = await partAsync(() => products(backend));
  results[`products ${backend}`] = found;
  for (const precision of Object.keys(found.error ? { float32: 0 } : found))
    results[`training ${backend} ${precision}`] = await partAsync(() => training(backend, precision));
  results[`decoding ${backend} float32`] = await partAsync(() => decoding(backend));
}
results.pytorch = part(pytorch);
const text = JSON.stringify(results, null, 1);
console.log(text);
if (options.out !== undefined) writeFileSync(options.out, `${text}\n`);
rmSync(folder, { recursive: true, force: true });

function tuneloom(...words) {
  return execFileSync(process.execPath, [join(root, 'dist/tuneloom.js'), ...words], {
    cwd: root,
    encoding: 'utf8',
    timeout: 300_000,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Those that doctor found to work, the GPU's first. */
function usableBackends(findings) {
  const isGood = (name) =>
    Array.isArray(findings) &&
    findings.some(({ subject, state }) => subject === `backend ${name}` && state === 'good');
  return ['webgpu', 'cuda', 'tensorflow', 'onnx'].filter(isGood);
}

function conformance(backend) {
  const report = join(folder, `tests-${backend}.json`);
  const words = ['run', '--project', backend, '--reporter=json', `--outputFile=${report}`];
  const only = options.small
    ? ['tests/tensor/ops.test.ts']
    : ['tests/tensor', 'tests/training/parity.test.ts'];
  spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...words, ...only], {
    cwd: root,
    env: { ...process.env, TUNELOOM_WEBGPU_TESTS: '1' },
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 180_000,
  });
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const failed = testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
  );
  return { passed: numPassedTests, failed: numFailedTests, names: failed };
}

function quickstart(backend) {
  const started = performance.now();
  const words = options.small ? ['questions', 'base', 'answers_before'] : ['-p', 'epochs=2'];
  const store = join(folder, backend);
  const out = tuneloom(
    'run',
    'pipelines/quickstart.yaml',
    ...words,
    '--backend',
    backend,
    '--store',
    store,
    '--json',
  );
  const { scores } = JSON.parse(out.trim().split('\n').at(-1));
  return { seconds: (performance.now() - started) / 1000, scores };
}

async function makeModel() {
  const path = join(folder, 'gpt2');
  const worker = await ourWorker('make-gpt2', path, JSON.stringify(sizes));
  await worker.ask({});
  worker.end();
  return path;
}

/** Rows of random tokens, the same for every side. */
function rowsOf(step) {
  let state = step + 1;
  const next = (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % below;
  };
  return Array.from({ length: sizes.batch }, () => {
    const tokens = Array.from({ length: sizes.length + 1 }, () => next(50_000));
    return { inputs: tokens.slice(0, -1), targets: tokens.slice(1) };
  });
}

async function training(backend, precision) {
  const worker = await ourWorker('train', model, backend, precision);
  const answers = [];
  for (let step = 0; step < sizes.steps; step++) answers.push(await worker.ask({ rows: rowsOf(step) }));
  worker.end();
  return {
    first_seconds: answers[0].seconds,
    median_seconds: median(answers.slice(2).map(({ seconds }) => seconds)),
    losses: answers.map(({ loss }) => loss),
    host_gigabytes: answers.at(-1).memory / 1e9,
  };
}

async function decoding(backend) {
  const worker = await ourWorker('decode', model, 'float32', backend);
  const prompts = rowsOf(0).map(({ inputs }) => ({
    tokens: inputs.slice(0, 32),
    newTokens: sizes.newTokens,
  }));
  const work = { batch: sizes.batch, slots: 32 + sizes.newTokens, prompts };
  await worker.ask(work);
  const { seconds, written } = await worker.ask(work);
  worker.end();
  return {
    tokens_per_second: (sizes.batch * sizes.newTokens) / seconds,
    first_tokens: written.map(([token]) => token),
  };
}

/** In float32, and in each half precision that the backend has on this machine. */
async function products(backend) {
  const worker = await ourWorker('gemm', backend);
  const { side } = sizes;
  const found = {};
  const measure = async (precision) => {
    const work = { m: side, k: side, n: side, rounds: 5, sums: true, precision };
    const { seconds, half_precisions } = await worker.ask(work);
    found[precision] = { gigaflops_per_second: (2e-9 * side ** 3) / seconds };
    return half_precisions;
  };
  for (const precision of await measure('float32')) await measure(precision);
  worker.end();
  return found;
}

/** Eager and compiled PyTorch in float32 and bfloat16, with the ceilings of products and copies. */
function pytorch() {
  const python = process.env.TUNELOOM_PEERS_PYTHON ?? 'python3';
  const rows = join(folder, 'rows.json');
  writeFileSync(rows, JSON.stringify(Array.from({ length: sizes.steps }, (_, step) => rowsOf(step))));
  const words = [join(root, 'bench/peers/gpu.py'), model, rows, String(sizes.side), String(sizes.newTokens)];
  const { stdout, stderr, status } = spawnSync(python, words, { encoding: 'utf8', timeout: 240_000 });
  if (status !== 0) throw new Error(stderr.trim().split('\n').at(-1) || `${python} does not run`);
  return JSON.parse(stdout);
}

function part(work) {
  try {
    return work();
  } catch (error) {
    return { error: String(error?.message ?? error).split('\n')[0] };
  }
}

async function partAsync(work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('it took more than four minutes')), 240_000);
  });
  try {
    return await Promise.race([work(), late]);
  } catch (error) {
    return { error: String(error?.message ?? error).split('\n')[0] };
  } finally {
    clearTimeout(timer);
  }
}
