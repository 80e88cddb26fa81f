// Times `generate` in 1, 2, 4 and 8 shards, and compares the bytes. The model is an endpoint on this machine that takes 50 ms
// an answer and serves one request of a job at a time, so that the time tells how many jobs run side by side.
//
//   node bench/shards.mjs                        on this machine, where shards run one after another: what a shard costs
//   node bench/shards.mjs --executor cluster FILE   with a settings file that names the executor
import { execFileSync, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const milliseconds = 50;
const prompts = 400;

if (process.argv[2] === 'serve') serve();
else await measure();

function serve() {
  const server = createServer((request, response) => {
    request.resume().on('end', () =>
      setTimeout(() => {
        const message = { role: 'assistant', content: 'yes' };
        response.setHeader('content-type', 'application/json');
        response.end(
          JSON.stringify({
            id: '1',
            object: 'chat.completion',
            created: 0,
            model: 'm',
            choices: [{ index: 0, message, finish_reason: 'stop' }],
          }),
        );
      }, milliseconds),
    );
  });
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));
}

async function measure() {
  const [flag, executor, settings] = process.argv.slice(2);
  const tuneloom = resolve(import.meta.dirname, '../dist/tuneloom.js');
  const folder = mkdtempSync(join(tmpdir(), 'tuneloom-bench-shards-'));
  const server = fork(fileURLToPath(import.meta.url), ['serve']);
  const port = await new Promise((heard) => server.once('message', heard));
  try {
    writeFileSync(join(folder, 'package.json'), '{}');
    const rows = Array.from({ length: prompts }, (_, index) =>
      JSON.stringify({ id: `r${index}`, text: `Is ${index} a number?` }),
    );
    writeFileSync(join(folder, 'rows.jsonl'), `${rows.join('\n')}\n`);
    writeFileSync(
      join(folder, 'pipeline.yaml'),
      `name: shards
stages:
  base: { uses: load, with: { model: "openai:m" } }
  load: { with: { records: rows.jsonl } }
  format: { from: load, with: { template: { prompt: "{{ text }}", response: "" } } }
  generate:
    from: { model: base, prompts: format }
    with: { endpoint: { base_url: "http://127.0.0.1:${port}/v1", concurrency: 1 } }
`,
    );
    if (flag === '--executor') {
      mkdirSync(join(folder, '.tuneloom'));
      copyFileSync(settings, join(folder, '.tuneloom/settings.yaml'));
    }
    const run = (...words) =>
      execFileSync(process.execPath, [tuneloom, 'run', ...words], {
        cwd: folder,
        env: { ...process.env, OPENAI_API_KEY: 'none' },
        stdio: 'pipe',
      });
    run('base', 'format');
    console.log(
      `${prompts} prompts of ${milliseconds} ms: at least ${(prompts * milliseconds) / 1000} s of waiting in one job`,
    );
    for (const shards of [1, 2, 4, 8]) {
      const started = performance.now();
      run(
        '--force',
        'generate',
        '--shards',
        String(shards),
        ...(flag === '--executor' ? ['--executor', executor] : []),
      );
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      const bytes = readFileSync(join(folder, 'artifacts/outputs/shards/generate/responses'));
      console.log(
        `${shards} shards: ${seconds} s, sha256 ${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}`,
      );
    }
  } finally {
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}
