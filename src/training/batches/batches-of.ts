import { type EpochOfExamples, exampleGroups } from './example-groups.ts';
import { type PaddedBatch, padBatch } from './pad-batch.ts';

/** The padded batches of an epoch, each as wide as its longest example: `batchesOf({ ...batches, epoch: 1 })`. */
export function batchesOf(epoch: EpochOfExamples & { readonly endOfText: number }): readonly PaddedBatch[] {
  return exampleGroups(epoch).map((group) => padBatch(group, { endOfText: epoch.endOfText }));
}
