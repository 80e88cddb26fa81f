import type { ConcatConfig } from '../../generated/concat-config.ts';
import type { StageModule } from '../../runtime/index.ts';
import { mix } from '../mixing/mix.ts';
import { openOutputs } from '../ports/open-ports.ts';
import { portCodecs } from '../ports/port-codecs.ts';

/** Writes the sources' records one source after the other. A source with a fractional weight is read twice, never kept. */
export const run: StageModule['run'] = async (action, { signal }) => {
  const { sources, seed } = action.config as unknown as ConcatConfig; // decode edge: the stage's schema has accepted it
  const outputs = await openOutputs({ records: 'records' }, action.outputs);
  try {
    const mixed = mix(
      sources.map(({ name, weight, limit }) => ({
        name,
        weight,
        limit,
        read: () => recordsAt(action.inputs[name]),
      })),
      seed,
    );
    for await (const { record } of mixed) {
      signal.throwIfAborted();
      await outputs.content.records.write(record);
    }
  } finally {
    await outputs.close();
  }
  return {};
};

async function* recordsAt(port: Parameters<StageModule['run']>[0]['inputs'][string] | undefined) {
  if (port === undefined || !('path' in port)) throw new Error('a source has no single content'); // the declared ports prevent it
  for await (const record of portCodecs.records.read(port.path)) yield { record };
}
