import type { CacheKey } from '../key/key-material.ts';
import type { PublicKey } from './signature.ts';

/** Something about a remote that its user should know; the work goes on without it. */
export interface RemoteProblem {
  readonly remote: string;
  /** A clause without its full stop. */
  readonly message: string;
  readonly help?: string;
}

/** A record that a remote holds and that does not count. */
export interface RefusedRecord {
  readonly remote: string;
  readonly key: CacheKey;
  readonly why: 'unsigned' | 'unknown-signer' | 'forged' | 'invalid';
  /** Of `unknown-signer`. */
  readonly signer?: PublicKey;
}

/** A counted note for each remote and cause. */
export function describeRefused(records: readonly RefusedRecord[]): readonly RemoteProblem[] {
  const counts = new Map<string, { readonly record: RefusedRecord; readonly count: number }>();
  for (const record of records) {
    const cause = JSON.stringify([record.remote, record.why, record.signer]);
    counts.set(cause, { record, count: (counts.get(cause)?.count ?? 0) + 1 });
  }
  return [...counts.values()].map(({ record: { remote, why, signer = '' }, count }) => {
    const results = count === 1 ? '1 result there is' : `${count} results there are`;
    return { remote, ...refusals[why](results, signer) };
  });
}

const refusals: Readonly<
  Record<
    RefusedRecord['why'],
    (results: string, signer: string) => { readonly message: string; readonly help: string }
  >
> = {
  unsigned: (results) => ({
    message: `${results} not signed and not used`,
    help: 'whoever made them can send them with `tuneloom push`, which signs them',
  }),
  'unknown-signer': (results, signer) => ({
    message: `${results} signed by ${signer}, which the settings do not name, and not used`,
    help: 'if you trust that key, add it to `trust.keys` in .tuneloom/settings.yaml',
  }),
  forged: (results) => ({
    message: `${results} not what was signed, and not used`,
    help: 'someone may have changed them: look at who can write there',
  }),
  invalid: (results) => ({
    message: `${results} unreadable, and not used`,
    help: '`tuneloom push --check` sends them again from a machine that has them',
  }),
};
