/** `epoch-2.<fingerprint>.<sha256 of the file>.safetensors`: the hash shows whether the file is complete. */
const pattern = /^epoch-([1-9]\d{0,8})\.([0-9a-f]{16})\.([0-9a-f]{64})\.safetensors$/;

export interface KeptEpoch {
  readonly name: string;
  readonly epoch: number;
  readonly fingerprint: string;
  readonly digest: string;
}

/** Parses the names of files that keepEpoch wrote; skips other files. */
export const keptEpochs = (names: readonly string[]): readonly KeptEpoch[] =>
  names.flatMap((name) => {
    const [, epoch, fingerprint = '', digest = ''] = pattern.exec(name) ?? [];
    return epoch === undefined ? [] : [{ name, epoch: Number(epoch), fingerprint, digest }];
  });
