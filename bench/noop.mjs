import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inTurns, seconds } from './median.mjs';
import { openPeers } from './peers/open-peers.mjs';

// A chain of stages that each copy a file and add a line: its first run, and a run with nothing to do, in tuneloom, DVC
// and wireit. All stages differ, so that none reuses another's result.
// node bench/noop.mjs [stages] [rounds]
const stages = Number(process.argv[2] ?? 8);
const rounds = Number(process.argv[3] ?? 9);
const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'tuneloom-bench-'));
const numbers = Array.from({ length: stages }, (_, index) => index);
const env = { ...process.env, DVC_NO_ANALYTICS: '1', CI: '1', npm_config_user_agent: 'npm/10' };

try {
  const peers = openPeers(folder);
  const projects = { tuneloom: tuneloom(), dvc: dvc(peers), wireit: wireit(peers) };
  const first = Object.fromEntries(Object.entries(projects).map(([name, run]) => [name, run()]));
  const idle = inTurns({ node: () => seconds('node', ['-e', '0']), ...projects }, rounds);
  console.log(`${stages} chained stages; first run, then the median of ${rounds} runs with nothing to do`);
  for (const [name, median] of Object.entries(idle)) {
    const begun = first[name] === undefined ? '' : `${first[name].toFixed(2)} s`;
    const ratio = name === 'node' ? '' : `${(median / idle.tuneloom).toFixed(1)} x tuneloom`;
    console.log(
      `${name.padEnd(8)}${begun.padStart(10)}${(median * 1000).toFixed(0).padStart(8)} ms   ${ratio}`,
    );
  }
  console.log(`tuneloom beyond node itself: ${((idle.tuneloom - idle.node) * 1000).toFixed(0)} ms`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function project(name, files) {
  const cwd = join(folder, name);
  mkdirSync(cwd);
  for (const [file, text] of Object.entries({ 'file0.txt': 'data\n', ...files }))
    writeFileSync(join(cwd, file), text);
  return cwd;
}

function tuneloom() {
  const source =
    '  s0:\n    uses: shell\n    with: { command: \'echo data > "$OUT_text"\', outputs: { text: file } }';
  const chain = numbers
    .slice(1)
    .map(
      (index) =>
        `  s${index}:\n    uses: shell\n    from: { text: s${index - 1} }\n    with: { command: 'cp "$IN_text" "$OUT_text"; echo ${index} >> "$OUT_text"', inputs: { text: file }, outputs: { text: file } }`,
    );
  const cwd = project('tuneloom', {
    'chain.yaml': `name: chain\nstages:\n${[source, ...chain].join('\n')}\n`,
  });
  return () =>
    seconds('node', [join(root, 'dist/tuneloom.js'), 'run', 'chain.yaml', '--store', 'store'], { cwd, env });
}

function dvc({ dvc: command }) {
  const chain = numbers.map((index) => {
    const [from, to] = [`file${index}.txt`, `file${index + 1}.txt`];
    return `  s${index}:\n    cmd: cp ${from} ${to}; echo ${index} >> ${to}\n    deps: [${from}]\n    outs: [${to}]`;
  });
  const cwd = project('dvc', { 'dvc.yaml': `stages:\n${chain.join('\n')}\n` });
  seconds(command, ['init', '--no-scm', '-q'], { cwd, env });
  return () => seconds(command, ['repro', '-q'], { cwd, env });
}

function wireit({ wireit: command }) {
  const name = (index) => `s${index}`;
  const wired = numbers.map((index) => [
    name(index),
    {
      command: `cp file${index}.txt file${index + 1}.txt; echo ${index} >> file${index + 1}.txt`,
      files: index === 0 ? ['file0.txt'] : [],
      output: [`file${index + 1}.txt`],
      ...(index === 0 ? {} : { dependencies: [name(index - 1)] }),
    },
  ]);
  const scripts = Object.fromEntries(numbers.map((index) => [name(index), 'wireit']));
  const text = JSON.stringify({ scripts, wireit: Object.fromEntries(wired) });
  const cwd = project('wireit', { 'package.json': text });
  const last = { ...env, npm_lifecycle_event: name(stages - 1), npm_package_json: join(cwd, 'package.json') };
  return () => seconds('node', [command], { cwd, env: last });
}
