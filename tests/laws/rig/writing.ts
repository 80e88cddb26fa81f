import type { Project } from './project.ts';
import type { Sheet } from './sheets.ts';
import type { YamlWriter } from './yaml-writer.ts';

/** One file that is being written. */
export interface Writing {
  readonly writer: YamlWriter;
  readonly sheet: Sheet;
  readonly project: Project;
  readonly lines: Map<string, string>;
  /** Whether no other file says what the stage takes. */
  readonly isAlone: (id: string) => boolean;
}

/** The line of something; a file further up wins. */
export const put = ({ writer, sheet, lines }: Writing, text: string, ...places: readonly string[]): void => {
  const line = writer.line(text);
  for (const place of places) lines.set(place, `${sheet.file}:${line}`);
};

/** The line of a declaration: a map that an overlay adds to keeps its place. */
export const declare = (writing: Writing, text: string, place: string): void =>
  writing.lines.has(place) ? put(writing, text) : put(writing, text, place);
