import type { SettingsConfig } from '../../generated/settings-config.ts';
import type { AddressProblem } from '../stage/source-resolver.ts';

/** Where results are kept and shared, and where stages run. Nothing of it is ever in a key. */
export interface Settings {
  /** Absolute. */
  readonly store: Setting<string>;
  /** Absolute, in the order in which they are searched. */
  readonly readonlyStores: readonly Setting<string>[];
  /** By name, in the order in which they are searched. */
  readonly remotes: ReadonlyMap<string, Setting<RemoteSettings>>;
  /** The public keys whose signatures make a remote's record count. */
  readonly trustedKeys: readonly Setting<string>[];
  readonly executors: ReadonlyMap<string, Setting<ExecutorSettings>>;
  /** The name of an executor, or the names of stages with those of executors. Absent: this machine. */
  readonly executor: Setting<NonNullable<SettingsConfig['executor']>> | undefined;
  /** The values of all environment variables that settings files name: no output may show them. */
  readonly secrets: readonly string[];
  /** What the project's file sets and nobody has approved; absent if that is nothing. */
  readonly withheld?: WithheldSettings;
}

/** Remotes and executors of a project's file that are not used until the person has approved it. */
export interface WithheldSettings {
  /** Of the file, absolute. */
  readonly path: string;
  /** Of the file that says it is approved. */
  readonly approval: string;
  /** What each sets, by name. */
  readonly remotes: ReadonlyMap<string, string>;
  readonly executors: ReadonlyMap<string, string>;
}

export type RemoteSettings = NonNullable<SettingsConfig['remotes']>[string];

/** What is wrong with the address of a remote; looks only at the text. */
export type AddressCheck = (url: string) => AddressProblem | undefined;

export type ExecutorSettings = NonNullable<SettingsConfig['executors']>[string];

export interface Setting<Value> {
  readonly value: Value;
  /** The value before `${env.NAME}` in it was replaced: it holds no secret. */
  readonly shown: Value;
  readonly origin: SettingOrigin;
  /** The environment variables that it names and that are not set. If there are any, it cannot be used. */
  readonly unset: readonly string[];
}

export type SettingOrigin =
  | {
      readonly kind: 'file';
      /** As a user would type it. */
      readonly path: string;
      /** From 1. */
      readonly line: number;
    }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'option'; readonly name: string }
  | { readonly kind: 'default' };

/** What one settings file sets. */
export interface FileSettings {
  readonly text: string;
  readonly withheld?: WithheldSettings;
  readonly store?: Setting<string>;
  readonly readonlyStores: readonly Setting<string>[];
  readonly remotes: ReadonlyMap<string, Setting<RemoteSettings>>;
  readonly trustedKeys: readonly Setting<string>[];
  readonly executors: ReadonlyMap<string, Setting<ExecutorSettings>>;
  readonly executor?: Setting<NonNullable<SettingsConfig['executor']>>;
  readonly secrets: readonly string[];
}
