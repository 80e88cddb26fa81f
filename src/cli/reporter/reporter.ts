import type { RunEvent } from '../../runtime/event/run-event.ts';

/** Shows a run while it goes on. */
export interface Reporter {
  readonly handle: (event: RunEvent) => void;
  /** Says something about the run as a whole, such as that it is being stopped. */
  readonly notice: (text: string) => void;
  /** Resolves once everything is on the screen and the terminal is free again. */
  readonly close: () => Promise<void>;
}
