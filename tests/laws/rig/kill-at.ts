import fs from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { type Law, roleIn } from './law.ts';

/**
 * Preloaded into a process that is to be killed, and into the stage processes that it starts: counts every change that each
 * makes to the disk through node:fs, and kills where NODE_LAW says, before an operation or in the middle of a write. A
 * process that is not killed appends the number of its operations to a file, and which of them can be torn.
 */
const law: Law = JSON.parse(process.env.NODE_LAW ?? '{}');
const role = roleIn(process.argv);
const death = law.death?.role === role ? law.death : undefined;
const { appendFileSync, openSync } = fs;
const torn: number[] = [];
let operations = 0;

function die(): void {
  if (death?.dies !== 'itself') process.kill(process.ppid, 'SIGKILL');
  if (death?.dies !== 'parent') process.kill(process.pid, 'SIGKILL');
}

// biome-ignore lint/suspicious/noExplicitAny: what is wrapped takes what it takes and gives what it gives.
type Operation = (...args: any[]) => any;

/** `content` is the argument that is written, of operations that can be torn. */
function counted(operation: Operation, content?: number): Operation {
  return function (this: unknown, ...args) {
    operations += 1;
    const bytes = content === undefined ? undefined : args[content];
    const isTearable = typeof bytes === 'string' || Buffer.isBuffer(bytes);
    if (isTearable) torn.push(operations);
    if (operations !== death?.operation) return operation.apply(this, args);
    if (!death.torn || !isTearable) die();
    else {
      const done = operation.apply(this, args.with(Number(content), bytes.slice(0, bytes.length / 2)));
      if (!(done instanceof Promise)) die();
      else return done.then(die).then(() => operation.apply(this, args));
    }
    return operation.apply(this, args);
  };
}

/** Wraps those of the named methods that an object has. */
function countIn(object: object, names: readonly string[], content?: number): void {
  for (const name of names) {
    const operation: unknown = Reflect.get(object, name);
    if (typeof operation === 'function') Reflect.set(object, name, counted(operation as Operation, content));
  }
}

function countEverything(handle: object): void {
  countIn(handle, ['sync', 'datasync', 'truncate', 'chmod', 'utimes', 'write']);
  countIn(handle, ['writeFile', 'appendFile'], 0);
  const names = 'chmod copyFile cp link mkdir mkdtemp rename rm rmdir symlink unlink truncate utimes'.split(
    ' ',
  );
  countIn(promises, names);
  countIn(promises, ['writeFile', 'appendFile'], 1);
  countIn(
    fs,
    names.map((name) => `${name}Sync`),
  );
  countIn(fs, ['fsyncSync', 'write', 'writev']);
  countIn(fs, ['writeFileSync', 'appendFileSync', 'writeSync'], 1);
  for (const [module, name] of [
    [promises, 'open'],
    [fs, 'openSync'],
  ] as const) {
    const open: Operation = Reflect.get(module, name);
    const countedOpen = counted(open);
    Reflect.set(module, name, (...args: [string, string?]) =>
      args[1] === undefined || args[1] === 'r' ? open(...args) : countedOpen(...args),
    );
  }
  syncBuiltinESMExports();
}

/** An hour passes between two readings of this clock, so that everything with a delay is due immediately. */
function hasten(): void {
  let hours = 0;
  performance.now = () => {
    hours += 1;
    return 3_600_000 * hours;
  };
}

function goToTheFuture(days: number): void {
  const Present = Date;
  const shift = days * 24 * 60 * 60 * 1000;
  globalThis.Date = class extends Present {
    constructor(value?: string | number | Date) {
      super(value ?? Present.now() + shift);
    }
    static override now = (): number => Present.now() + shift;
  } as DateConstructor;
}

if (isMainThread && process.env.NODE_LAW !== undefined) {
  if (law.hastens === role) hasten();
  if (law.days !== undefined) goToTheFuture(law.days);
  const probe: FileHandle = await promises.open(process.execPath, 'r');
  await probe.close();
  countEverything(Object.getPrototypeOf(probe));
  const { counts } = law;
  if (counts !== undefined) {
    process.on('exit', () => {
      // Through the original functions, which do not count.
      const written = JSON.stringify({ role, operations, torn });
      appendFileSync(openSync(counts, 'a'), `${written}\n`);
    });
  }
}
