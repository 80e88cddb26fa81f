import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  childEnvironment,
  type Failure,
  mayBeAlive,
  parseProcessIdentity,
  processIdentity,
} from '../../runtime/index.ts';
import type { JobState, LaunchedJob, Launcher } from '../job/launcher.ts';

/** The file of a job's folder that names its process. */
const identityFile = 'process.json';
/** What the process prints beside the log of its stage. */
export const outputFile = 'job.txt';

/** Starts jobs as processes of this machine that outlive the connection. A job's number is the path of its folder. */
export function processLauncher({ program }: { readonly program: string }): Launcher {
  const identityOf = async (folder: string) =>
    parseProcessIdentity(await readFile(join(folder, identityFile), 'utf8').catch(() => ''));
  return {
    placeOf: () => 'its job',
    start: (job) => start(job, program),
    find: async ({ folder }) => ((await identityOf(folder)) === undefined ? undefined : folder),
    state: async (folder): Promise<JobState> => {
      const identity = await identityOf(folder);
      if (identity !== undefined && mayBeAlive(identity)) return { kind: 'running' };
      return { kind: 'ended', failure: await failureOfEnd(folder) };
    },
    stop: async (folder, { now }) => {
      const identity = await identityOf(folder);
      if (identity === undefined || !mayBeAlive(identity)) return;
      try {
        process.kill(now ? -identity.pid : identity.pid, now ? 'SIGKILL' : 'SIGTERM');
      } catch {
        // It has just ended.
      }
    },
    explain: async (_, failure) => failure,
  };
}

async function start({ folder, environment }: LaunchedJob, program: string): Promise<string> {
  const output = openSync(join(folder, outputFile), 'a');
  try {
    const child = spawn(process.execPath, [program, folder], {
      cwd: folder,
      // Its own session: it goes on when the connection is lost, and can be killed with all that it has started.
      detached: true,
      stdio: ['ignore', output, output],
      env: { ...childEnvironment(process.env), ...environment },
    });
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    child.unref();
    await writeFile(join(folder, identityFile), JSON.stringify(processIdentity(child.pid ?? 0)));
    return folder;
  } finally {
    closeSync(output);
  }
}

async function failureOfEnd(folder: string): Promise<Failure> {
  const text = (await readFile(join(folder, outputFile), 'utf8').catch(() => '')).trim();
  const tail = text.split('\n').slice(-20).join('\n');
  return {
    kind: 'killed',
    signal: 'SIGKILL',
    message: `the process of the job ended without a word, most often because the machine stopped or memory ran out${tail === '' ? '' : `\n${tail}`}`,
  };
}
