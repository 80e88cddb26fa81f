import { existsSync } from 'node:fs';
import type { Setting, Settings } from '../../runtime/index.ts';
import { originText } from '../open-settings.ts';
import type { Finding } from './machine.ts';

/** What settings are in force, each with its origin. Values that settings take from the environment are not shown. */
export function settingsFindings(settings: Settings): readonly Finding[] {
  const { store, readonlyStores, remotes, trustedKeys, executors, executor } = settings;
  const findings = [
    ...(store.origin.kind === 'default' ? [] : [finding('settings: store', store, store.shown)]),
    ...readonlyStores.map((setting) => readonlyFinding(setting)),
    ...[...remotes].map(([name, setting]) => {
      const { url, push } = setting.shown;
      return finding(
        `remote ${name}`,
        setting,
        `${url}, ${push === 'auto' ? 'runs push to it' : 'read only'}`,
      );
    }),
    ...trustedKeys.map((setting) => finding('trusted key', setting, setting.shown)),
    ...[...executors].map(([name, setting]) => finding(`executor ${name}`, setting, setting.shown.kind)),
    ...(settings.withheld === undefined
      ? []
      : [
          {
            subject: 'not approved',
            state: 'absent' as const,
            found: `${[...settings.withheld.remotes.keys(), ...settings.withheld.executors.keys()].join(', ')} (${settings.withheld.path}); \`tuneloom run\` asks`,
          },
        ]),
    ...(executor === undefined ? [] : [finding('stages run on', executor, executorText(executor.shown))]),
  ];
  if (findings.length > 0) return findings;
  return [{ subject: 'settings', state: 'absent', found: 'none: no .tuneloom/settings.yaml sets anything' }];
}

function finding(subject: string, { origin, unset }: Setting<unknown>, found: string): Finding {
  const text = `${found} (${originText(origin)})`;
  if (unset.length === 0) return { subject, state: 'good', found: text };
  return { subject, state: 'bad', found: text, help: `set the environment variable ${unset.join(' and ')}` };
}

function readonlyFinding(setting: Setting<string>): Finding {
  const { subject, state, found } = finding('read-only store', setting, setting.value);
  if (existsSync(setting.value)) return { subject, state, found };
  return { subject, state: 'bad', found, help: 'there is no such folder: is its drive mounted?' };
}

const executorText = (executor: string | Readonly<Record<string, string>>): string =>
  typeof executor === 'string'
    ? executor
    : Object.entries(executor)
        .map(([stage, name]) => `${stage}: ${name}`)
        .join(', ');

/** The same for programs. */
export const settingsJson = (settings: Settings): object => {
  const one = ({ shown, origin, unset }: Setting<unknown>) => ({
    value: shown,
    from: originText(origin),
    ...(unset.length > 0 && { unset }),
  });
  const named = (map: ReadonlyMap<string, Setting<unknown>>) =>
    Object.fromEntries([...map].map(([name, setting]) => [name, one(setting)]));
  return {
    store: one(settings.store),
    readonly_stores: settings.readonlyStores.map(one),
    remotes: named(settings.remotes),
    trusted_keys: settings.trustedKeys.map(one),
    executors: named(settings.executors),
    ...(settings.executor && { executor: one(settings.executor) }),
  };
};
