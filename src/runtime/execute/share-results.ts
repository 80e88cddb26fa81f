import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, type Json } from '../../core/index.ts';
import { type Digest, digestsAt, isFolderDigest, type PortContent, parsePortContent } from '../key/digest.ts';
import type { ActionPort } from '../stage/stage-action.ts';
import type { StageReport } from '../stage/stage-definition.ts';
import type { Fingerprint } from '../store/action-records.ts';
import { contentState } from '../store/content-state.ts';
import { blobFile } from '../store/find-blob.ts';
import { parseSealed } from '../store/sealed-json.ts';
import type { Store } from '../store/store.ts';
import type { Measurements } from './stage-message.ts';

/** What one share of a stage's work gave. */
export interface DoneShare {
  readonly outputs: Readonly<Record<string, PortContent>>;
  readonly measurements: Measurements;
  readonly machine?: Fingerprint;
}

export const doneFile = 'done.json';

/** A share that an earlier attempt finished, if what it wrote is still in the store. */
export async function keptShare(store: Store, state: string): Promise<DoneShare | undefined> {
  try {
    const value = parseSealed(await readFile(join(state, doneFile), 'utf8'));
    const { outputs, measurements, machine } = isObject(value) ? value : {};
    if (!isObject(outputs) || !isObject(measurements)) return undefined;
    const contents = new Map<string, PortContent>();
    for (const [port, written] of Object.entries(outputs)) {
      const content = parsePortContent(written);
      if (content === undefined) return undefined;
      for (const { digest } of digestsAt(content))
        if ((await contentState(store, digest)) !== 'present') return undefined;
      contents.set(port, content);
    }
    return {
      outputs: Object.fromEntries(contents),
      // The seal says that this process or another wrote them.
      measurements: measurements as Measurements,
      ...(isObject(machine) && { machine: machine as unknown as Fingerprint }),
    };
  } catch {
    return undefined;
  }
}

/** Joins each output from what the shares wrote for it. */
export async function joinOutputs(
  ports: Readonly<Record<string, ActionPort>>,
  {
    parts,
    store,
    joinParts,
  }: {
    readonly parts: readonly DoneShare['outputs'][];
    readonly store: Store;
    readonly joinParts: (parts: readonly string[], output: string) => Promise<void>;
  },
): Promise<void> {
  for (const [port, at] of Object.entries(ports)) {
    const outputs = 'path' in at ? [[undefined, at.path] as const] : Object.entries(at.parts);
    for (const [part, path] of outputs) {
      await rm(path, { force: true });
      await joinParts(
        parts.map((share) => blobFile(store, fileIn(share[port], part))),
        path,
      );
    }
  }
}

function fileIn(content: PortContent | undefined, part: string | undefined): Digest {
  const digest = typeof content === 'object' ? content.parts[part ?? ''] : content;
  if (digest !== undefined && !isFolderDigest(digest)) return digest;
  throw new Error('a share writes one file for each output');
}

/** The sums of what the shares counted, and what they have in common. */
export function measured(
  shares: readonly DoneShare[],
  report: (report: StageReport) => void,
): { readonly measurements: Measurements; readonly machine: Fingerprint | undefined } {
  const [first] = shares;
  const names = new Set(shares.flatMap(({ measurements }) => Object.keys(measurements)));
  const sums = new Map<string, Json>();
  const mixed: string[] = [];
  for (const name of names) {
    const values = shares.flatMap(({ measurements: { [name]: value } }) =>
      value === undefined ? [] : [value],
    );
    const numbers = values.filter((value) => typeof value === 'number');
    const [value] = values;
    // Those of parts are by their names.
    if (values.every((each) => isObject(each)))
      sums.set(
        name,
        measured(
          values.map((each) => ({ outputs: {}, measurements: each as Measurements })),
          report,
        ).measurements,
      );
    else if (added.has(name))
      sums.set(
        name,
        numbers.reduce((sum, number) => sum + number, 0),
      );
    else if (numbers.length === values.length && numbers.length > 0) sums.set(name, Math.max(...numbers));
    else if (value !== undefined) sums.set(name, value);
    const isText = numbers.length === 0 && !values.every((each) => isObject(each));
    if (isText && new Set(values.map((each) => JSON.stringify(each))).size > 1) mixed.push(name);
  }
  if (mixed.length > 0)
    report({
      type: 'note',
      level: 'warning',
      message: `its shards differ in ${mixed.join(' and ')}; one job alone may give other numbers`,
    });
  return { measurements: Object.fromEntries(sums), machine: first?.machine };
}

/** What adds up over the shares; of other numbers the largest is kept. */
const added: ReadonlySet<string> = new Set(['answers', 'answers_from_before', 'tokens']);
