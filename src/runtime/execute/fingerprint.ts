import { arch, platform, version } from 'node:process';
import type { StageAction } from '../stage/stage-action.ts';
import type { Fingerprint } from '../store/action-records.ts';
import type { Measurements } from './stage-message.ts';

/** This machine, as far as no stage is concerned. */
export const machineFingerprint = (): Fingerprint => ({ node: version, platform, arch });

/** Where a stage ran: what it said itself counts before what it was asked to use. */
export function fingerprintOf(stage: {
  readonly measurements: Measurements;
  readonly resources: StageAction['resources'];
}): Fingerprint {
  const { measurements, resources } = stage;
  const word = (name: string) => {
    const said = measurements[name];
    return typeof said === 'string' ? said : undefined;
  };
  const threads = typeof measurements.threads === 'number' ? measurements.threads : resources.threads;
  const parts = {
    backend: word('backend') ?? resources.backend,
    engine: word('engine'),
    instructionSet: word('instructionSet'),
    device: word('device'),
    threads,
  };
  const known = Object.entries(parts).filter(([, part]) => part !== undefined);
  return { ...machineFingerprint(), ...Object.fromEntries(known) };
}
