/** What a setup tells while it goes. */
export interface SetupProgress {
  /** A step ended: what was done, in a few words. */
  readonly done: (step: string) => void;
  /** A long step begins. */
  readonly begin: (step: string) => void;
  readonly signal: AbortSignal;
}
