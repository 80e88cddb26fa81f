/**
 * A store on another machine, or in a folder that is used as one. It holds blobs by the sha256 of their bytes and records
 * by their cache keys, under the names of Bazel's HTTP cache. A client knows nothing of stages, and neither verifies nor
 * trusts what it transports: the caller does.
 */
export interface RemoteStore {
  /** As the settings call it. */
  readonly name: string;
  /** Without secrets. */
  readonly url: string;
  /** How many calls it serves well at the same time, where that is not a common number. */
  readonly parallel?: number;
  /** The names (`remoteName`) of those of the objects that it holds. Many are asked for together. */
  readonly has: (objects: readonly RemoteObject[], options: RemoteCall) => Promise<ReadonlySet<string>>;
  /** An object's bytes, unverified; undefined if it holds no such object. */
  readonly get: (object: RemoteObject, options: RemoteGet) => Promise<RemoteContent | undefined>;
  /** Makes an object visible, whole or not at all. An equal object may be replaced. */
  readonly put: (object: RemoteObject, content: SentContent, options: RemotePut) => Promise<void>;
  /** The digests or keys of everything of one kind, in no order. */
  readonly list: (kind: RemoteObject['kind'], options: RemoteCall) => AsyncIterable<string>;
}

/** What a remote holds. A folder is the blob of its manifest and the blobs of its files. */
export type RemoteObject =
  | {
      readonly kind: 'blob';
      /** 64 lowercase hexadecimal digits, the sha256 of the bytes. */
      readonly digest: string;
    }
  | {
      readonly kind: 'record';
      /** 64 lowercase hexadecimal digits. */
      readonly key: string;
    };

/** An object's path from the remote's root: `cas/<sha256>` or `ac/<key>`. */
export const remoteName = (object: RemoteObject): string =>
  object.kind === 'blob' ? `cas/${object.digest}` : `ac/${object.key}`;

/**
 * Methods throw a RemoteFailure for what is wrong with the remote, and the signal's reason once it is aborted. A client
 * limits the time that it waits for an answer and tries again what may pass; the caller does neither.
 */
export interface RemoteCall {
  readonly signal: AbortSignal;
}

export interface RemoteGet extends RemoteCall {
  /** Where to begin, in bytes; a client may begin earlier, and says so in its answer. */
  readonly offset?: number | undefined;
}

export interface RemoteContent {
  /** Of the first byte of `bytes` in the object: the requested offset, or 0 where the remote cannot continue. */
  readonly offset: number;
  /** Of the whole object, in bytes, as the remote says. */
  readonly size?: number | undefined;
  /** Throws a RemoteFailure where the transfer breaks off. Ending the iteration early ends the transfer. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

export type SentContent =
  /** A file, whose size and content do not change meanwhile. */
  { readonly path: string; readonly size: number } | { readonly bytes: Uint8Array };

export interface RemotePut extends RemoteCall {
  /** Called with the number of bytes sent since the last call. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/** Why a remote cannot do what it was asked. It is down, refuses, or answers what no remote should. */
export class RemoteFailure extends Error {
  override readonly name = 'RemoteFailure';
  readonly kind: RemoteFailureKind;
  /** What the user can do, as a clause without its full stop. */
  readonly help: string | undefined;

  /** `message`: a clause without its full stop, without secrets, that may follow the remote's name and a colon. */
  constructor({
    kind,
    message,
    help,
    cause,
  }: {
    readonly kind: RemoteFailureKind;
    readonly message: string;
    readonly help?: string | undefined;
    readonly cause?: unknown;
  }) {
    super(message, { cause });
    this.kind = kind;
    this.help = help;
  }
}

export type RemoteFailureKind =
  /** No connection, no answer in time, or an answer that the host cannot help: nothing more is asked of it. */
  | 'unreachable'
  /** The transfer broke off; what has arrived is kept, and a new request may continue it. */
  | 'interrupted'
  /** It wants a token, or does not let this one do that. */
  | 'forbidden'
  /** It has no room. */
  | 'full'
  /** Anything else: an answer that does not follow the protocol, or an address that names no remote. */
  | 'refused';
