import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { Result } from '../result.ts';

/** What a stage's code is made of, found without running any of it. */
export interface ModuleGraph {
  /** Absolute paths of the user's own modules. */
  readonly files: readonly string[];
  readonly packages: readonly UsedPackage[];
}

export interface UsedPackage {
  readonly name: string;
  readonly version: string;
  /** Absolute path of its package.json. */
  readonly manifest: string;
}

export type FoundModules = Result<ModuleGraph, readonly Diagnostic[]>;
