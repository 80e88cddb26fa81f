/** One thing that was looked at. */
export interface Finding {
  /** `node`, `memory`, `backend onnx`. */
  readonly subject: string;
  readonly state: 'good' | 'absent' | 'bad';
  /** What was found, in a few words. */
  readonly found: string;
  /** What to do, where something is absent or bad. */
  readonly help?: string;
  /** What was counted or measured, for other programs; a name ends in its unit. */
  readonly figures?: Readonly<Record<string, number>>;
}
