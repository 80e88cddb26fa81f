import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { median } from './median.mjs';
import { peerWorker } from './worker.mjs';

// Questions of MMLU with four letters to choose from after five shots: the stage `generate` in `mode: choices`, as `run` runs it,
// in turns with lm-evaluation-harness's simple_evaluate on the same weights and texts. A turn is the first questions of a subject.
// Build first: npm run build.
// node bench/choices.mjs MODEL.gguf [--questions 60] [--subjects abstract_algebra,world_religions] [--data DIR] [--batch 16]
//   [--precision float32|int8] [--rounds 1] [--peer lm-eval|none]
const root = join(import.meta.dirname, '..');
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    questions: { type: 'string', default: '60' },
    // The others that ../shared/data has are six times as long: 16 rows of logits would take 20 GB in lm-eval.
    subjects: { type: 'string', default: 'abstract_algebra,world_religions' },
    data: { type: 'string', default: join(root, '../shared/data') },
    batch: { type: 'string', default: '16' },
    precision: { type: 'string', default: 'float32' },
    rounds: { type: 'string', default: '1' },
    peer: { type: 'string', default: 'lm-eval' },
  },
});
const [model] = positionals;
if (model === undefined || !existsSync(model)) throw new Error('Name the GGUF file or the folder of a model');
const subjects = options.subjects.split(',');
const folder = await mkdtemp(join(tmpdir(), 'bench-choices-'));
const outputs = join(folder, 'artifacts/outputs/choices');
try {
  await writePipeline();
  run(...subjects.flatMap((subject) => [`rows-${subject}`, `format-${subject}`]), 'model', 'dev');
  const peer = options.peer === 'none' ? undefined : await startPeer();
  const turns = [];
  for (let round = 0; round < Number(options.rounds); round++)
    for (const subject of subjects) {
      const ours = await ourTurn(subject);
      turns.push({ subject, ...ours, peer: await peer?.ask({ subject }) });
    }
  peer?.end();
  console.log(JSON.stringify(await report(turns), null, 2));
} finally {
  await rm(folder, { recursive: true });
}

async function writePipeline() {
  const mmlu = join(resolve(options.data), 'mmlu');
  const stages = {
    model: { uses: 'load', with: { model: resolve(model) } },
    dev: { uses: 'load', with: { records: mmlu, as: 'mmlu', split: 'dev' } },
  };
  for (const subject of subjects) {
    const rows = { records: mmlu, as: 'mmlu', tasks: [subject], limit: Number(options.questions) };
    stages[`rows-${subject}`] = { uses: 'load', with: rows };
    stages[`format-${subject}`] = {
      uses: 'format',
      from: { records: `rows-${subject}`, shots: 'dev' },
      with: { template: 'mmlu-harness', shots: { count: 5 } },
    };
    stages[`choices-${subject}`] = {
      uses: 'generate',
      from: { model: 'model', prompts: `format-${subject}` },
      with: { mode: 'choices', batch_size: Number(options.batch), precision: options.precision },
      resources: { threads: 2 },
    };
  }
  await writeFile(join(folder, 'package.json'), '{}');
  await writeFile(join(folder, 'choices.yaml'), JSON.stringify({ name: 'choices', stages }));
}

/** Runs stages and returns the events. */
function run(...words) {
  const program = [join(root, 'dist/tuneloom.js'), 'run', 'choices.yaml', ...words, '--json'];
  const written = execFileSync('node', program, { cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 28 });
  return written.trim().split('\n').map(JSON.parse);
}

async function ourTurn(subject) {
  const stage = `choices-${subject}`;
  const started = performance.now();
  const events = run(stage, '--force', stage);
  const wholeSeconds = (performance.now() - started) / 1000;
  const { measurements } = events.find((event) => event.type === 'stage-finished' && event.stage === stage);
  const responses = await lines(join(outputs, stage, 'responses'));
  return { seconds: measurements.seconds, wholeSeconds, memory: measurements.peak_memory, responses };
}

async function startPeer() {
  const rows = join(folder, 'peer');
  await mkdir(rows);
  const layout = ({ question, choices, answer, subject }) =>
    JSON.stringify({ question, choices, answer, subject });
  const dev = await lines(join(outputs, 'dev', 'records'));
  for (const subject of subjects) {
    const test = await lines(join(outputs, `rows-${subject}`, 'records'));
    const shots = dev.filter((row) => row.subject === subject);
    await writeFile(join(rows, `${subject}-test.jsonl`), test.map(layout).join('\n'));
    await writeFile(join(rows, `${subject}-dev.jsonl`), shots.map(layout).join('\n'));
  }
  const peer = peerWorker('choices', join(outputs, 'model/model'), rows, options.batch);
  await peer.ask({}); // has loaded its model
  return peer;
}

async function lines(file) {
  return (await readFile(file, 'utf8')).trim().split('\n').map(JSON.parse);
}

async function report(turns) {
  const logLikelihoods = ({ responses }) =>
    responses.flatMap(({ choices }) => choices.map((choice) => choice.log_likelihood));
  const isRight = ({ expected, choices }) =>
    choices.reduce((best, one) => (one.log_likelihood > best.log_likelihood ? one : best)).text ===
    expected.trim();
  const paired = turns.filter(({ peer }) => peer !== undefined);
  const differences = paired.flatMap((turn) =>
    logLikelihoods(turn).map((value, index) => Math.abs(value - turn.peer.log_likelihoods[index])),
  );
  const total = (values) => values.reduce((sum, value) => sum + value, 0);
  return {
    work: turns.map(({ subject, responses }) => `${responses.length} questions of ${subject}`),
    seconds: { tuneloom: turns.map(({ seconds }) => seconds), peer: paired.map(({ peer }) => peer.seconds) },
    with_process_and_model: turns.map(({ wholeSeconds }) => wholeSeconds),
    ...(paired.length > 0 && {
      ratio: total(paired.map(({ peer }) => peer.seconds)) / total(paired.map(({ seconds }) => seconds)),
      of_pairs: median(paired.map(({ seconds, peer }) => peer.seconds / seconds)),
      tokens: paired.map(({ peer }) => peer.tokens),
      shared_tokens: paired.map(({ peer }) => peer.shared_tokens),
    }),
    right: {
      tuneloom: turns.map(({ responses }) => responses.filter(isRight).length),
      peer: paired.map(({ peer, responses }) => Math.round(peer.accuracy * responses.length)),
    },
    log_likelihoods: differences.length,
    largest_difference: Math.max(...differences),
    peak_gigabytes: {
      tuneloom: Math.max(...turns.map(({ memory }) => memory)) / 1e9,
      peer: Math.max(...paired.map(({ peer }) => peer.memory)) / 1e9,
    },
  };
}
