import fs, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Preloaded into a process that is to die: counts everything that it does to the disk through node:fs/promises, and
 * kills it before the operation of the number in LAW_KILL_AT; with LAW_TORN in the middle of it, where it writes.
 * A process that lives to its end says how many there were.
 */
const [killAt, torn] = [Number(process.env.LAW_KILL_AT ?? 0), process.env.LAW_TORN === 'yes'];
let operations = 0;

const die = (): void => void process.kill(process.pid, 'SIGKILL');

type Operation = (...args: unknown[]) => Promise<unknown>;

/** `content` is the argument that is written, of operations that can be torn. */
function counted(operation: Operation, content?: number): Operation {
  return async function (this: unknown, ...args) {
    operations += 1;
    if (operations === killAt) {
      const bytes = content === undefined ? undefined : args[content];
      if (torn && typeof bytes === 'string') {
        await operation.apply(this, args.with(Number(content), bytes.slice(0, bytes.length / 2)));
      }
      die();
    }
    return operation.apply(this, args);
  };
}

/** Replaces methods of an object that is not typed for it; those that are not there are left out. */
function countIn(object: object, names: readonly string[], content?: number): void {
  for (const name of names) {
    const operation: unknown = Reflect.get(object, name);
    if (typeof operation === 'function') Reflect.set(object, name, counted(operation as Operation, content));
  }
}

const probe: FileHandle = await fs.open(process.execPath, 'r');
await probe.close();
countIn(Object.getPrototypeOf(probe), ['sync', 'datasync', 'truncate', 'chmod', 'utimes', 'write']);
countIn(Object.getPrototypeOf(probe), ['writeFile', 'appendFile'], 0);
countIn(fs, [
  'chmod',
  'copyFile',
  'cp',
  'link',
  'mkdir',
  'mkdtemp',
  'rename',
  'rm',
  'rmdir',
  'symlink',
  'utimes',
]);
countIn(fs, ['writeFile', 'appendFile'], 1);
const { open } = fs;
const countedOpen = counted(open as Operation);
Reflect.set(fs, 'open', (...args: Parameters<typeof open>) =>
  args[1] === undefined || args[1] === 'r' ? open(...args) : countedOpen(...args),
);
syncBuiltinESMExports();
process.on('exit', () => console.log(`operations ${operations}`));
