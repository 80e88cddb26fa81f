import { type ActionRecord, digestsAt, type Rerun, type Store } from '../../runtime/index.ts';
import { describeFailure } from '../reporter/describe-failure.ts';
import { differenceIn } from './compare-content.ts';

/** What came of running one stage again. */
export interface AuditedStage {
  readonly stage: string;
  /** `unlike`: it differs where it need not be the same: another engine made it, or a model behind an endpoint. */
  readonly verdict: 'equal' | 'differs' | 'unlike' | 'failed' | 'not-cached';
  /** For each output that differs, where. */
  readonly differences: readonly { readonly output: string; readonly where: string }[];
  readonly why?: string;
}

export async function auditStage(
  store: Store,
  { stage, rerun }: { readonly stage: string; readonly rerun: Rerun },
): Promise<AuditedStage> {
  switch (rerun.kind) {
    case 'not-cached':
      return { stage, verdict: 'not-cached', differences: [], why: 'it has no result to compare with' };
    case 'failed': {
      const why = rerun.failure === undefined ? 'it did not run' : describeFailure(rerun.failure).message;
      return { stage, verdict: 'failed', differences: [], why };
    }
    case 'reran': {
      const differences = await differencesOf(store, rerun);
      if (differences.length === 0) return { stage, verdict: 'equal', differences };
      const why = excuseOf(rerun);
      return why === undefined
        ? { stage, verdict: 'differs', differences }
        : { stage, verdict: 'unlike', differences, why };
    }
    default:
      return rerun satisfies never;
  }
}

async function differencesOf(
  store: Store,
  { first, again, scratch }: Extract<Rerun, { kind: 'reran' }>,
): Promise<AuditedStage['differences']> {
  const differences: { output: string; where: string }[] = [];
  const others = new Map(contentsOf(again));
  for (const [output, digest] of contentsOf(first)) {
    const other = others.get(output);
    if (other === digest) continue;
    const pair = other && { first: { store, digest }, again: { store: scratch, digest: other } };
    const where = pair === undefined ? 'it was not written again' : await differenceIn(pair);
    differences.push({ output, where });
  }
  return differences;
}

const contentsOf = ({ outputs }: ActionRecord) =>
  Object.entries(outputs).flatMap(([port, content]) =>
    [...digestsAt(content)].map(
      ({ digest, part }) => [part === undefined ? port : `${port}.${part}`, digest] as const,
    ),
  );

/** Why two executions may differ: floats follow what computes them, and an endpoint answers as it likes. */
function excuseOf({
  first,
  again,
}: {
  readonly first: ActionRecord;
  readonly again: ActionRecord;
}): string | undefined {
  const engines = [first, again].map(({ provenance, measurements }) => {
    const { backend, threads } = provenance.fingerprint;
    const { engine, instructionSet, device } = measurements;
    return JSON.stringify([backend, threads, engine, instructionSet, device]);
  });
  if (again.material.uses === 'generate' && again.provenance.fingerprint.backend === undefined)
    return 'the model is behind an endpoint';
  return engines[0] === engines[1] ? undefined : 'another engine, processor or number of threads computed it';
}
