import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Installs DVC from PyPI and wireit from npm, below `temporary` or in the folder that TUNELOOM_BENCH_PEERS names to keep
 * them; returns the absolute paths of their commands.
 */
export function openPeers(temporary) {
  const folder = process.env.TUNELOOM_BENCH_PEERS ?? temporary;
  const environment = join(folder, 'python');
  const packages = join(folder, 'npm');
  const commands = {
    dvc: join(environment, 'bin/dvc'),
    wireit: join(packages, 'node_modules/wireit/bin/wireit.js'),
  };
  if (Object.values(commands).every(existsSync)) return commands;
  execFileSync('python3', ['-m', 'venv', environment]);
  const requirements = join(import.meta.dirname, 'requirements.txt');
  execFileSync(join(environment, 'bin/pip'), ['install', '-q', '-r', requirements], { stdio: 'inherit' });
  mkdirSync(packages, { recursive: true });
  writeFileSync(join(packages, 'package.json'), '{ "private": true }');
  const install = ['install', '--no-audit', '--no-fund', '--silent', 'wireit@0.14'];
  execFileSync('npm', install, { cwd: packages, stdio: 'inherit' });
  return commands;
}
