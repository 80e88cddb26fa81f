import { randomFillSync } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inTurns, seconds } from './median.mjs';
import { openPeers } from './peers/open-peers.mjs';

// Many small files and a few large ones: hashed for the first time, then checked again untouched.
// node bench/hash.mjs [small files] [MiB of large ones] [rounds]
const count = Number(process.argv[2] ?? 100_000);
const mebibytes = Number(process.argv[3] ?? 2048);
const rounds = Number(process.argv[4] ?? 3);
const largeFiles = 8;
const tuneloom = join(resolve(import.meta.dirname, '..'), 'dist/tuneloom.js');
const folder = mkdtempSync(join(tmpdir(), 'tuneloom-bench-'));
const env = { ...process.env, DVC_NO_ANALYTICS: '1' };

try {
  const { dvc } = openPeers(folder);
  makeSmall(join(folder, 'small'));
  makeLarge(join(folder, 'large'));
  // Files written within the last step of the file system's clock could still change unnoticed, and would be hashed again.
  await sleep(3000);
  for (const [name, title, each] of [
    ['small', `${count} files of 1 to 2 KiB`, 256],
    ['large', `${mebibytes} MiB in ${largeFiles} files`, 1],
  ])
    compare({ name, title, each, dvc });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function compare({ name, title, each, dvc }) {
  const stage = 'stages:\n  read:\n    uses: shell\n    with:\n      command: cp "$FILE_data" "$OUT_copy"\n';
  const ports = `      files: { data: ${name} }\n      outputs: { copy: file }\n`;
  writeFileSync(join(folder, `${name}.yaml`), stage + ports);
  const plan = () =>
    seconds('node', [tuneloom, 'plan', `${name}.yaml`, '--store', 'store'], { cwd: folder, env });
  const emptied = (run) => () => {
    for (const path of ['store', '.dvc', `${name}.dvc`, 'site'])
      rmSync(join(folder, path), { recursive: true, force: true });
    mkdirSync(join(folder, 'store'));
    writeFileSync(join(folder, '.dvcignore'), '');
    const sites = { ...env, DVC_SITE_CACHE_DIR: join(folder, 'site') };
    seconds(dvc, ['init', '--no-scm', '-q', '-f'], { cwd: folder, env: sites });
    return run(sites);
  };
  const sha256sum = `find ${name} -type f -print0 | xargs -0 -P ${availableParallelism()} -n ${each} sha256sum > /dev/null`;
  // Without --no-commit DVC copies the files as well.
  const add = (sites) => seconds(dvc, ['add', '-q', '--no-commit', name], { cwd: folder, env: sites });
  const status = () =>
    seconds(dvc, ['status'], {
      cwd: folder,
      env: { ...env, DVC_SITE_CACHE_DIR: join(folder, 'site') },
    });
  const hashed = inTurns(
    {
      tuneloom: emptied(plan),
      sha256sum: () => seconds('sh', ['-c', sha256sum], { cwd: folder }),
      dvc: emptied(add),
    },
    rounds,
  );
  plan();
  const untouched = inTurns({ tuneloom: plan, dvc: status }, rounds);
  console.log(`${title}: hashed; then untouched (medians of ${rounds})`);
  for (const [peer, time] of Object.entries(hashed))
    console.log(
      [peer.padEnd(10), shown(time, hashed.tuneloom), shown(untouched[peer], untouched.tuneloom)].join('  '),
    );
}

function shown(time, own) {
  if (time === undefined) return '';
  return `${time.toFixed(2).padStart(8)} s ${(time / own).toFixed(2).padStart(7)} x tuneloom`;
}

function makeSmall(root) {
  const bytes = Buffer.alloc(2048);
  for (let index = 0; index < count; index++) {
    const shelf = join(root, String(index % 256));
    if (index < 256) mkdirSync(shelf, { recursive: true });
    randomFillSync(bytes);
    writeFileSync(join(shelf, `${index}.txt`), bytes.subarray(0, 1024 + (index % 1024)));
  }
}

function makeLarge(root) {
  mkdirSync(root);
  const bytes = Buffer.alloc(1 << 20);
  for (let index = 0; index < mebibytes; index++)
    appendFileSync(join(root, `${index % largeFiles}.bin`), randomFillSync(bytes));
}
