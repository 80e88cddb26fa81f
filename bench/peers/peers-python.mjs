import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const folder = import.meta.dirname;

/** A Python with the peers: the one TUNELOOM_PEERS_PYTHON names, else a virtual environment here, made on first use. */
export function peersPython() {
  const named = process.env.TUNELOOM_PEERS_PYTHON;
  if (named !== undefined) return named;
  const environment = join(folder, '.venv');
  const python = join(environment, 'bin/python');
  if (existsSync(python)) return python;
  const run = (command, ...words) => {
    const { status } = spawnSync(command, words, { stdio: 'inherit' });
    if (status !== 0) throw new Error(`${command} ${words.join(' ')} ended with ${status}`);
  };
  run('python3', '-m', 'venv', environment);
  run(python, '-m', 'pip', 'install', '--quiet', '-r', join(folder, 'pytorch-requirements.txt'));
  return python;
}
