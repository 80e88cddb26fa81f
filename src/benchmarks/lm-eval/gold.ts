import { ExactNumber, isList, type Json, jsonText, UserError } from '../../core/index.ts';
import { answerText } from './contexts.ts';
import type { Target } from './document-texts.ts';
import type { OutputType } from './metric-list.ts';

/** What is right for a question. */
export interface Gold {
  /** The right texts: one, or several of which any counts. */
  readonly texts: readonly string[];
  /** With `multiple_choice`: the right choices. `noChoice` stands for a target that is none of them. */
  readonly indices: readonly number[];
}

/** The index of a target that is no choice; it counts as wrong, as in lm-evaluation-harness. */
export const noChoice = -100;

interface Answerable {
  readonly outputType: OutputType;
  readonly target: Target;
  readonly choices: readonly string[] | undefined;
  /** Whether the first question of the task has a list of targets: then all must have one. */
  readonly hasSeveral: boolean;
}

export function goldOf({ outputType, target, choices, hasSeveral }: Answerable): Gold {
  if (isList(target) !== hasSeveral)
    throw new UserError({
      code: 'mixed-targets',
      message: `its target is ${jsonText(target).slice(0, 60)}, but that of the task's first question is ${hasSeveral ? 'a list' : 'no list'}`,
      help: 'let `doc_to_target` give a list for every question, or for none',
    });
  if (outputType === 'multiple_choice') {
    const known = choices ?? [];
    const indices = (isList(target) ? target : [target]).map((one) => indexOf(one, known));
    return { indices, texts: indices.map((index) => known[index] ?? '') };
  }
  if (outputType === 'generate_until' && choices !== undefined)
    return { indices: [], texts: [answerText(target, choices)] };
  const texts = isList(target) ? target : [target];
  if (outputType !== 'generate_until' && texts.some((text) => typeof text !== 'string'))
    throw unfit(target, 'a text');
  return { indices: [], texts: texts.map((text) => (isList(target) ? listedText(text) : plainText(text))) };
}

function indexOf(target: Json, choices: readonly string[]): number {
  if (typeof target === 'string') {
    const index = choices.indexOf(target);
    return index === -1 ? noChoice : index;
  }
  const index = typeof target === 'boolean' ? Number(target) : target;
  if (typeof index !== 'number' || !Number.isInteger(index))
    throw unfit(target, 'the index or the text of a choice');
  return index >= 0 && index < choices.length ? index : noChoice;
}

function listedText(target: Json): string {
  if (typeof target === 'string') return target;
  throw unfit(target, 'a list of texts');
}

/** Python's `str(target)`. */
function plainText(target: Json): string {
  if (typeof target === 'string') return target;
  if (typeof target === 'boolean') return target ? 'True' : 'False';
  if (typeof target === 'number' || target instanceof ExactNumber) return String(target);
  throw unfit(target, 'a text');
}

const unfit = (target: Json, expected: string): UserError =>
  new UserError({
    code: 'bad-target',
    message: `its target is ${jsonText(target).slice(0, 80)}; it must be ${expected}`,
  });
