import { spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seconds } from './median.mjs';

// Results sent to a remote, fetched from it and looked up in it, beside DVC with the same server: moto's for S3, nginx for
// HTTP, or a folder. TUNELOOM_PYTHON names a Python with moto[server] and dvc[s3].
// node bench/remote.mjs [s3|http|file] [small files] [MiB of large ones] [stages]
const kind = process.argv[2] ?? 's3';
const smallFiles = Number(process.argv[3] ?? 10_000);
const mebibytes = Number(process.argv[4] ?? 2048);
const stages = Number(process.argv[5] ?? 300);
const tuneloom = join(resolve(import.meta.dirname, '..'), 'dist/tuneloom.js');
const python = process.env.TUNELOOM_PYTHON ?? 'python3';
const dvc = join(dirname(python), 'dvc');
const folder = mkdtempSync(join(tmpdir(), 'tuneloom-bench-'));
const env = {
  ...process.env,
  HOME: folder,
  TUNELOOM_PROJECT_SETTINGS: 'approved',
  DVC_NO_ANALYTICS: '1',
  DVC_SITE_CACHE_DIR: join(folder, 'site'),
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test-secret',
  AWS_DEFAULT_REGION: 'us-east-1',
};

const server = await startServer();
try {
  console.log(`${kind}, seconds`);
  console.log(row('', 'tuneloom', 'DVC', 'ratio'));
  transfer('small', `${smallFiles} files of 10 KB`, (path) => {
    for (let file = 0; file < smallFiles; file += 1) writeRandom(join(path, `${file}`), 10_000);
  });
  transfer('large', `${mebibytes} MiB in 4 files`, (path) => {
    for (let file = 0; file < 4; file += 1) writeRandom(join(path, `${file}`), (mebibytes / 4) * 2 ** 20);
  });
  lookUp();
} finally {
  server.kill?.();
  rmSync(folder, { recursive: true, force: true });
}

function transfer(name, title, make) {
  const data = join(folder, `${name}-data`);
  mkdirSync(data);
  make(data);
  const ours = openOurs(name);
  cpSync(data, join(ours.path, 'data'), { recursive: true });
  ours.write(
    'p.yaml',
    'stages:\n  copy:\n    uses: shell\n    with:\n      command: cp -R "$FILE_data" "$OUT_copy"\n' +
      '      files: { data: data }\n      outputs: { copy: file }\n',
  );
  ours.run('run');
  const theirs = openTheirs(name);
  cpSync(data, join(theirs.path, 'data'), { recursive: true });
  theirs.run('add', '-q', 'data');
  compare(`push ${title}`, ours.run('push'), theirs.run('push', '-q'));
  compare('push, nothing to do', ours.run('push'), theirs.run('push', '-q'));
  rmSync(join(ours.path, 'artifacts'), { recursive: true });
  rmSync(join(theirs.path, '.dvc/cache'), { recursive: true });
  compare(`pull ${title}`, ours.run('pull'), theirs.run('fetch', '-q'));
  compare('pull, nothing to do', ours.run('pull'), theirs.run('fetch', '-q'));
  for (const path of [data, ours.path, theirs.path]) rmSync(path, { recursive: true });
}

function lookUp() {
  const ours = openOurs('stages');
  const theirs = openTheirs('stages');
  const names = Array.from({ length: stages }, (_, stage) => `s${stage}`);
  const stageOf = (name) =>
    `  ${name}: { uses: shell, with: { command: "echo ${name} > $OUT_a", outputs: { a: file } } }\n`;
  ours.write('p.yaml', `stages:\n${names.map(stageOf).join('')}`);
  for (const name of names) theirs.write(name, `${name}\n`);
  ours.run('run');
  theirs.run('add', '-q', ...names);
  ours.run('push');
  theirs.run('push', '-q');
  rmSync(join(ours.path, 'artifacts'), { recursive: true });
  rmSync(join(theirs.path, '.dvc/cache'), { recursive: true });
  compare(`${stages} stages looked up`, ours.run('run'), theirs.run('status', '-c', '-q'));
}

function compare(what, ours, theirs) {
  console.log(row(what, ours.toFixed(2), theirs.toFixed(2), `${(theirs / ours).toFixed(1)} x`));
}

function row(...cells) {
  return cells.map((cell, index) => (index === 0 ? cell.padEnd(32) : cell.padStart(10))).join('');
}

function openOurs(name) {
  const path = join(folder, `${name}-tuneloom`);
  const write = (file, text) => {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), text);
  };
  write('package.json', '{}');
  const remotes = {
    s3: { url: `s3://bench/${name}-tuneloom`, endpoint: server.url },
    http: { url: `${server.url}/${name}-tuneloom` },
    file: { url: join(server.folder, `${name}-tuneloom`) },
  };
  if (kind === 'file') mkdirSync(remotes.file.url);
  write('.tuneloom/settings.yaml', JSON.stringify({ remotes: { bench: remotes[kind] } }));
  return {
    path,
    write,
    run: (...words) => seconds('node', [tuneloom, ...words], { cwd: path, env }),
  };
}

function openTheirs(name) {
  const path = join(folder, `${name}-dvc`);
  mkdirSync(path);
  const run = (...words) => {
    // It refuses to end well where something is missing, which `status` is asked for here.
    const options = { cwd: path, env };
    return words[0] === 'status'
      ? seconds('sh', ['-c', '"$0" "$@" || [ $? = 1 ]', dvc, ...words], options)
      : seconds(dvc, words, options);
  };
  run('init', '--no-scm', '-q');
  const urls = {
    s3: `s3://bench/${name}-dvc`,
    http: `${server.url}/${name}-dvc`,
    file: join(server.folder ?? '', `${name}-dvc`),
  };
  run('remote', 'add', '-q', '-d', 'bench', urls[kind]);
  if (kind === 's3') run('remote', 'modify', 'bench', 'endpointurl', server.url);
  if (kind === 'http') run('remote', 'modify', 'bench', 'method', 'PUT');
  return { path, run, write: (file, text) => writeFileSync(join(path, file), text) };
}

function writeRandom(path, bytes) {
  const chunk = Buffer.alloc(Math.min(bytes, 2 ** 24));
  for (let written = 0; written < bytes; written += chunk.length) {
    randomFillSync(chunk);
    writeFileSync(path, chunk.subarray(0, bytes - written), { flag: 'a' });
  }
}

async function startServer() {
  const files = join(folder, 'remote');
  mkdirSync(files);
  if (kind === 'file') return { folder: files };
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = kind === 's3' ? startMoto(port) : startNginx(port, files);
  for (let tries = 0; tries < 200; tries += 1) {
    const answer = await fetch(`${url}/bench`, { method: kind === 's3' ? 'PUT' : 'GET' }).catch(
      () => undefined,
    );
    if (answer !== undefined) return { folder: files, url, kill: () => child.kill() };
    await sleep(100);
  }
  throw new Error('the server does not start');
}

function startMoto(port) {
  return spawn(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
}

function startNginx(port, files) {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (one) => `${one}_temp_path ${folder}/nginx-${one};`,
  );
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; ${user} pid ${folder}/nginx.pid; error_log ${folder}/nginx.log; events {}
http { access_log off; client_max_body_size 0; ${temporary.join(' ')}
  server { listen 127.0.0.1:${port}; location / { root ${files}; dav_methods PUT; create_full_put_path on; } } }
`,
  );
  return spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-e', join(folder, 'nginx.log')], {
    stdio: 'ignore',
  });
}

function freePort() {
  return new Promise((found) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => found(port));
    });
  });
}
