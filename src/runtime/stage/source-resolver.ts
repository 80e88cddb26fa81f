/**
 * Brings in what addresses of one scheme name, such as `hf:owner/name`. The runtime is given one for each scheme and
 * knows nothing else of them. Having one loads none of its code and touches no network.
 */
export interface SourceResolver {
  /** Why a text is no address that can be brought in; looks at nothing but the text. */
  readonly check: (address: string) => AddressProblem | undefined;
  readonly load: () => Promise<SourceFetcher>;
}

/** What is wrong with an address, as a whole sentence. */
export interface AddressProblem {
  readonly code: string;
  readonly message: string;
  readonly help?: string;
}

/** Both throw a UserError for what the user can fix: no network, no permission, nothing there. */
export interface SourceFetcher {
  /** The revision that an address means now; undefined where only the content tells. */
  readonly resolve: (request: SourceRequest) => Promise<string | undefined>;
  /** Downloads what an address means at a revision, whole and checked; returns the path of the file or folder. */
  readonly fetch: (request: FetchRequest) => Promise<string>;
}

export interface SourceRequest {
  readonly address: string;
  readonly signal: AbortSignal;
}

export interface FetchRequest extends SourceRequest {
  readonly revision: string | undefined;
  /** Absolute; it exists, holds what an interrupted download of the same left, and is private to this one. */
  readonly folder: string;
  readonly report: (progress: FetchProgress) => void;
}

/** In bytes; the total may be known only later, or never. */
export interface FetchProgress {
  readonly done: number;
  readonly total?: number;
}

/** The resolvers by scheme, in lower case and without the colon. */
export type SourceResolvers = ReadonlyMap<string, SourceResolver>;
