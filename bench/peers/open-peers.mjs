// DVC from PyPI and wireit from npm, each in a folder of the benchmark's own.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Installs both below `folder`; absolute paths of their commands. */
export function openPeers(folder) {
  const environment = join(folder, 'python');
  execFileSync('python3', ['-m', 'venv', environment]);
  const requirements = join(import.meta.dirname, 'requirements.txt');
  execFileSync(join(environment, 'bin/pip'), ['install', '-q', '-r', requirements], { stdio: 'inherit' });
  const packages = join(folder, 'npm');
  mkdirSync(packages);
  writeFileSync(join(packages, 'package.json'), '{ "private": true }');
  const install = ['install', '--no-audit', '--no-fund', '--silent', 'wireit@0.14'];
  execFileSync('npm', install, { cwd: packages, stdio: 'inherit' });
  return { dvc: join(environment, 'bin/dvc'), wireit: join(packages, 'node_modules/wireit/bin/wireit.js') };
}
