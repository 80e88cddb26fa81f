import { spawnSync } from 'node:child_process';

export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** The seconds that a whole process takes; throws if it fails. */
export function seconds(command, args, options = {}) {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stderr || stdout}`);
  return (performance.now() - start) / 1000;
}

/** Medians of several commands, run in turns so that all of them meet the same noise. */
export function inTurns(commands, rounds) {
  const times = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const [name, run] of Object.entries(commands)) times[name].push(run());
  return Object.fromEntries(Object.entries(times).map(([name, values]) => [name, median(values)]));
}
