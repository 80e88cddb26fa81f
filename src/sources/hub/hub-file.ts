import type { ExpectedContent } from '../http/expected-content.ts';

/** A file of a repository at one commit. */
export interface HubFile {
  /** From the repository's root, parted by `/`; leads nowhere else. */
  readonly path: string;
  readonly content: ExpectedContent;
}

/** The name within its folder. */
export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** The folder that a path stands in; empty for the root. */
export const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
