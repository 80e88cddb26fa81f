import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Seconds and memory to read MMLU at its full size, 14,042 questions in 57 files, format it with five shots that must fit,
// and tokenize it. The files repeat the questions of the three subjects in ../shared/data/mmlu, or in the folder given.
// Build first: npm run build. node bench/mmlu.mjs [folder]
const root = fileURLToPath(new URL('..', import.meta.url));
const source = process.argv[2] ?? join(root, '../shared/data/mmlu');
const [subjects, questions] = [57, 14_042];
const folder = await mkdtemp(join(tmpdir(), 'bench-mmlu-'));

async function copies(split, count) {
  await mkdir(join(folder, 'mmlu', split), { recursive: true });
  const names = (await readdir(join(source, split))).filter((name) => name.endsWith('.csv'));
  // Questions contain line breaks: whole files are repeated, and `limit` cuts off the rest.
  for (let index = 0; index < subjects; index += 1) {
    const text = await readFile(join(source, split, names[index % names.length]), 'utf8');
    const [header, ...lines] = text.trimEnd().split('\n');
    const body = lines.join('\n');
    const times = split === 'dev' ? 1 : Math.ceil(count / subjects / 100);
    const whole = [header, ...Array.from({ length: times }, () => body)].join('\n');
    await writeFile(join(folder, 'mmlu', split, `subject_${index}_${split}.csv`), `${whole}\n`);
  }
}

await copies('test', questions);
await copies('dev', 5 * subjects);
await writeFile(join(folder, 'package.json'), '{}');
await writeFile(
  join(folder, 'mmlu.yaml'),
  `name: mmlu
stages:
  model:
    uses: load
    with: { init: { context_length: 64, width: 8, layers: 1, heads: 1, encoding: r50k_base } }
  questions: { uses: load, with: { records: mmlu, as: mmlu, split: test, limit: ${questions} } }
  shots: { uses: load, with: { records: mmlu, as: mmlu, split: dev } }
  format:
    from: { records: questions, shots: shots, tokenizer: model.tokenizer }
    with: { template: mmlu, shots: { count: 5, fit_tokens: 1024 } }
  tokenize: { from: format, with: { encoding: r50k_base } }
`,
);

const start = performance.now();
const child = spawn('node', [join(root, 'dist/tuneloom.js'), 'run', 'mmlu.yaml'], {
  cwd: folder,
  stdio: 'inherit',
});
let peak = 0;
const watch = setInterval(async () => {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
  peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
}, 100);
await new Promise((ended) => child.on('exit', ended));
clearInterval(watch);
const seconds = (performance.now() - start) / 1000;
console.log(
  `${questions} questions in ${subjects} files: ${seconds.toFixed(1)} s, ${Math.round(peak / 1024)} MB`,
);
await rm(folder, { recursive: true });
