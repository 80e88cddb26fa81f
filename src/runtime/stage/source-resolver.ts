/**
 * Fetches the sources of one scheme, such as `hf:owner/name`. The runtime is given one for each scheme. Having one loads
 * none of its code and uses no network.
 */
export interface SourceResolver {
  /** Why a text is not a valid address; looks only at the text. */
  readonly check: (address: string) => AddressProblem | undefined;
  readonly load: () => Promise<SourceFetcher>;
}

/** What is wrong with an address, as a full sentence. */
export interface AddressProblem {
  readonly code: string;
  readonly message: string;
  readonly help?: string;
}

/** Both methods throw a UserError for what the user can fix: no network, no permission, nothing found. */
export interface SourceFetcher {
  /** The present revision of an address; undefined if only the content identifies it. */
  readonly resolve: (request: SourceRequest) => Promise<string | undefined>;
  /** Downloads an address at a revision, complete and verified; returns the path of the file or folder. */
  readonly fetch: (request: FetchRequest) => Promise<string>;
}

export interface SourceRequest {
  readonly address: string;
  readonly signal: AbortSignal;
  /** Called before a longer wait, such as one that an overloaded host asks for. */
  readonly onWait?: ((wait: SourceWait) => void) | undefined;
}

export interface SourceWait {
  readonly milliseconds: number;
  /** As half a sentence. */
  readonly because: string;
}

export interface FetchRequest extends SourceRequest {
  readonly revision: string | undefined;
  /** Absolute; exists, is private to this download and holds what an interrupted download of the same source left. */
  readonly folder: string;
  readonly report: (progress: FetchProgress) => void;
  /**
   * Called with the path of a folder whose small files are there, before the large ones are downloaded. Throws a UserError
   * if they show that the source cannot be used.
   */
  readonly inspect: (folder: string) => Promise<void>;
}

/** In bytes. The total may become known later or never. */
export interface FetchProgress {
  readonly done: number;
  readonly total?: number;
}

/** The resolvers by scheme, lowercase and without the colon. */
export type SourceResolvers = ReadonlyMap<string, SourceResolver>;
