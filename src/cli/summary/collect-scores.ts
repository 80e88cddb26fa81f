import type { Store } from '../../runtime/index.ts';
import { portCodecs } from '../../stages/ports/port-codecs.ts';
import { type NamedOutput, readOutput } from './finished-outputs.ts';
import type { StageScores } from './run-summary.ts';

/** The metrics of every evaluation among the outputs. */
export async function collectScores(
  store: Store,
  outputs: readonly NamedOutput[],
): Promise<readonly StageScores[]> {
  const evaluations = outputs.filter(({ type }) => type === 'scores');
  return await Promise.all(
    evaluations.map(({ node, digest }) =>
      readOutput({ store, digest }, async (path) => {
        const { metrics } = await portCodecs.scores.read(path).read();
        return { stage: node.id, metrics };
      }),
    ),
  );
}
