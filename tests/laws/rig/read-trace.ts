/** A system call that was made: of `name`, the old path and the new one; of `sync`, that of the file or folder. */
export interface Call {
  readonly kind: 'name' | 'sync';
  readonly paths: readonly string[];
}

/** The calls in what `strace -f -y` wrote, each where it had ended; those that failed are left out. */
export function readTrace(text: string): readonly Call[] {
  const begun = new Map<string, string>();
  return text.split('\n').flatMap((line): readonly Call[] => {
    const [, thread = '', said = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const unfinished = /^(.*) <unfinished \.\.\.>$/.exec(said);
    if (unfinished?.[1] !== undefined) {
      begun.set(thread, unfinished[1]);
      return [];
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(said);
    const whole = resumed === null ? said : `${begun.get(thread) ?? ''}${resumed[1]}`;
    return callIn(whole);
  });
}

function callIn(line: string): readonly Call[] {
  const [, name = '', given = ''] = /^(\w+)\((.*)\) += 0$/.exec(line) ?? [];
  const synced = /^f(?:data)?sync$/.test(name) ? /^\d+<(.*)>$/.exec(given)?.[1] : undefined;
  if (synced !== undefined) return [{ kind: 'sync', paths: [synced] }];
  const paths = [...given.matchAll(/"([^"]*)"/g)].map(([, path = '']) => path);
  return /^(rename|link)/.test(name) ? [{ kind: 'name', paths }] : [];
}
