import type { Json } from '../../json.ts';
import type { CacheKey } from '../key/cache-key.ts';
import type { KeyMaterial } from '../key/key-material.ts';
import type { PortContent } from './digest.ts';

/** What one execution of a stage was given and what it wrote: `actions/ab/<key>.json`, written last and never changed. */
export interface ActionRecord {
  readonly format: 1;
  readonly key: CacheKey;
  readonly material: KeyMaterial;
  readonly outputs: Readonly<Record<string, PortContent>>;
  readonly provenance: Provenance;
  /** Throughput, memory: facts of the run, never of the outputs. */
  readonly measurements: Readonly<Record<string, Json>>;
}

/** Where and when it ran; no part of any key. */
export interface Provenance {
  readonly pipeline: string;
  readonly stage: string;
  readonly run: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly milliseconds: number;
  readonly fingerprint: Fingerprint;
}

/** What floating-point results may depend on beside the key. */
export interface Fingerprint {
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
  readonly backend?: string;
  /** Name and version, such as `onnxruntime 1.30.0`. */
  readonly engine?: string;
  /** The widest vector instructions of the processor. */
  readonly instructionSet?: string;
  /** `gpu` or `cpu`, where the engine can use either. */
  readonly device?: string;
  readonly threads?: number;
}
