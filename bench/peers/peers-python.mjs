import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const folder = import.meta.dirname;

const peers = {
  pytorch: { variable: 'TUNELOOM_PEERS_PYTHON', environment: '.venv', words: [] },
  'llama-cpp': {
    variable: 'TUNELOOM_LLAMA_PYTHON',
    environment: '.venv-llama-cpp',
    words: ['--no-binary', 'llama-cpp-python'],
  },
};

/** A Python with peers: the one that their variable names, else a virtual environment here, made on first use. */
export function peersPython(kind = 'pytorch') {
  const { variable, environment: name, words } = peers[kind];
  const named = process.env[variable];
  if (named !== undefined) return named;
  const environment = join(folder, name);
  const python = join(environment, 'bin/python');
  if (existsSync(python)) return python;
  const env = { ...process.env, CMAKE_ARGS: '-DGGML_NATIVE=ON' };
  const run = (command, ...words) => {
    const { status } = spawnSync(command, words, { stdio: 'inherit', env });
    if (status !== 0) throw new Error(`${command} ${words.join(' ')} ended with ${status}`);
  };
  run('python3', '-m', 'venv', environment);
  const requirements = join(folder, `${kind}-requirements.txt`);
  run(python, '-m', 'pip', 'install', '--quiet', ...words, '-r', requirements);
  return python;
}
