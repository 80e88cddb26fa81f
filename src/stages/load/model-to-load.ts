import type { Folder } from '../ports/port-contents.ts';

/** Where a model and its tokenizer are written to; a model behind an endpoint has no tokenizer. */
export interface ModelOutputs {
  readonly model: Folder;
  readonly tokenizer: Folder | undefined;
}

export interface ModelToLoad extends ModelOutputs {
  /** A folder, a GGUF file, or `openai:<name>`. */
  readonly source: string;
  readonly untieHead: boolean;
}
