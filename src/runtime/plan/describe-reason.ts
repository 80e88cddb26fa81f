import type { Json } from '../../core/index.ts';
import { quoted } from '../diagnostic/diagnostic.ts';
import type { Difference } from '../key/compare-material.ts';
import type { LostState } from '../store/action-records.ts';
import { parsePointer } from '../yaml/yaml-doc.ts';
import type { Decision, RunReason } from './decide.ts';

/** Why a stage runs, and what is left to do after a shorter run: "...; trains 1 more epoch". */
export const describeRun = ({ reason, remaining }: Extract<Decision, { kind: 'run' }>): string =>
  remaining === undefined ? describeReason(reason) : `${describeReason(reason)}; ${remaining}`;

/** A reason as half a sentence, naming the field: "`with.seed` changed from 1 to 2". */
export function describeReason(reason: RunReason): string {
  switch (reason.kind) {
    case 'never-ran':
      return 'it has not run before';
    case 'forced':
      return 'forced';
    case 'output-lost':
      return `its output \`${reason.output}\` ${lost[reason.state]}`;
    case 'record-unreadable':
      return `its record ${reason.path} cannot be read`;
    case 'changed':
      return describeAll(reason.match.differences);
    default:
      return reason satisfies never;
  }
}

const lost: Readonly<Record<LostState, string>> = {
  missing: 'is no longer in the store',
  damaged: 'is damaged in the store',
  unreachable: 'is needed, and no remote gives it',
};

/** What a stage waits for, as half a sentence: "waits for format", "hf:owner/name is not resolved yet". */
export function describeWaiting({
  waitsFor,
  unresolved,
}: Pick<Extract<Decision, { kind: 'undecided' }>, 'waitsFor' | 'unresolved'>): string {
  const waits = waitsFor.length === 0 ? [] : [`waits for ${waitsFor.join(', ')}`];
  return [...waits, ...unresolved.map((address) => `${address} is not resolved yet`)].join('; ');
}

/** One difference as half a sentence. */
export function describeDifference(difference: Difference): string {
  switch (difference.kind) {
    case 'config':
      return describeChange(quoted(fieldOfWith(difference.pointer)), difference);
    case 'source':
      return `the content of ${quoted(fieldOfWith(difference.pointer))} changed`;
    case 'input': {
      const name = `input \`${difference.part === undefined ? difference.port : `${difference.port}.${difference.part}`}\``;
      if (difference.before === undefined) return `${name} is new`;
      return difference.after === undefined ? `${name} is gone` : `${name} changed`;
    }
    case 'code': {
      const { module, before, after } = difference;
      const [importer, specifier] = module.split(' > ');
      if (specifier !== undefined)
        return describeChange(`what \`${specifier}\` means in \`${importer}\``, difference);
      if (module.startsWith('npm:'))
        return describeChange(`the package \`${module.slice('npm:'.length)}\``, difference);
      const change = before === undefined ? 'is new' : after === undefined ? 'is gone' : 'changed';
      return `its code in \`${module}\` ${change}`;
    }
    case 'uses':
    case 'version':
      return describeChange(`the stage's ${difference.kind === 'uses' ? '`uses`' : 'version'}`, difference);
    case 'format':
      return 'keys are made in a new way';
    default:
      return difference satisfies never;
  }
}

function describeAll(differences: readonly Difference[]): string {
  const shown = differences.slice(0, 2).map(describeDifference).join(', ');
  const more = differences.length - 2;
  return more > 0 ? `${shown}, and ${more} more` : shown;
}

function describeChange(
  name: string,
  { before, after }: { readonly before?: Json; readonly after?: Json },
): string {
  if (before === undefined) return `${name} is now ${spell(after)}`;
  return after === undefined
    ? `${name} is no longer ${spell(before)}`
    : `${name} changed from ${spell(before)} to ${spell(after)}`;
}

/** `/optimizer/learning_rate` as users write it: `with.optimizer.learning_rate`. */
export const fieldOfWith = (pointer: string): string => ['with', ...parsePointer(pointer)].join('.');

/** The name of a field of a stage's key, as in the YAML: `with.optimizer.learning_rate`, `from.train`. */
export function fieldOf(difference: Difference): string {
  switch (difference.kind) {
    case 'config':
    case 'source':
      return fieldOfWith(difference.pointer);
    case 'input':
      return `from.${difference.port}${difference.part === undefined ? '' : `.${difference.part}`}`;
    case 'code':
      return `code ${difference.module}`;
    case 'uses':
    case 'version':
    case 'format':
      return difference.kind;
    default:
      return difference satisfies never;
  }
}

function spell(value: Json | undefined): string {
  const text = (JSON.stringify(value) ?? 'nothing').replaceAll(
    /(sha256(-folder)?:[0-9a-f]{12})[0-9a-f]{52}/g,
    '$1',
  );
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
