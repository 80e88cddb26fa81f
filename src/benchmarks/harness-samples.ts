import { isObject, type Json, type JsonObject } from '../core/index.ts';
import { fieldOf, itemsOf, type Located, labelOf, unfit } from './located.ts';
import type { Prediction } from './prediction.ts';

/** Whether a line is one of lm-evaluation-harness's `samples_<task>_<time>.jsonl` (`--log_samples`). */
export const isHarnessSample = ({ value }: Located): boolean =>
  isObject(value) && value.doc_id !== undefined && Array.isArray(value.resps);

/**
 * A sample's answer: what its filter left of the text that the model wrote; or, of a question with choices, the choice
 * with the highest log-likelihood.
 */
export function harnessSample(at: Located): Prediction {
  const { arguments: requests = [], doc, target, filtered_resps: filtered } = at.value as JsonObject; // isHarnessSample has seen it
  const responses = Array.isArray(filtered) ? 'filtered_resps' : 'resps';
  const answers = itemsOf(fieldOf(at, responses)).map(answerOf);
  const contexts = requestsOf(requests);
  const fields = isObject(doc) ? doc : {};
  const common = { id: labelOf(fieldOf(at, 'doc_id')), prompt: contexts[0]?.context ?? '', fields, at };
  if (answers.length === 1 && typeof answers[0] === 'string')
    return { ...common, text: answers[0], ...targetField(target, []) };
  const choices = answers.map((answer, index) =>
    choiceOf(answer, (contexts[index]?.continuation ?? '').trimStart(), at),
  );
  if (choices.length === 0) throw unfit(at, 'a sample with an answer');
  const best = choices.reduce((first, next) => (next.log_likelihood > first.log_likelihood ? next : first));
  return {
    ...common,
    text: best.text,
    choices: choices.map((choice) => ({ ...choice })),
    ...targetField(target, choices),
  };
}

/** A text; or a log-likelihood with whether greedy decoding would write it, as numbers or as texts. */
function answerOf(at: Located): string | readonly [logLikelihood: number, isGreedy: boolean] {
  const { value } = at;
  if (typeof value === 'string') return value;
  const [first, second, ...others] = Array.isArray(value) ? value : [];
  if (first !== undefined && second === undefined) return answerOf({ ...at, value: first });
  const isGreedy = String(second).toLowerCase();
  if (
    first === undefined ||
    others.length > 0 ||
    !/^(true|false)$/.test(isGreedy) ||
    !Number.isFinite(Number(first))
  )
    throw unfit(
      at,
      'one text, or a log-likelihood; of several texts let the task filter one, as with `take_first`',
    );
  return [Number(first), isGreedy === 'true'];
}

interface HarnessRequest {
  readonly context: string;
  readonly continuation: string;
}

/** `[[context, continuation], ...]`, or in newer releases `{gen_args_0: {arg_0, arg_1}}`. */
function requestsOf(requests: Json): readonly HarnessRequest[] {
  const list = Array.isArray(requests) ? requests : isObject(requests) ? Object.values(requests) : [];
  return list.map((request) => {
    const [context, continuation] = Array.isArray(request)
      ? request
      : isObject(request)
        ? [request.arg_0, request.arg_1]
        : [];
    return {
      context: typeof context === 'string' ? context : '',
      continuation: typeof continuation === 'string' ? continuation : '',
    };
  });
}

function choiceOf(answer: ReturnType<typeof answerOf>, text: string, at: Located) {
  if (typeof answer === 'string') throw unfit(at, 'a sample with one text, or with log-likelihoods alone');
  const [logLikelihood, isGreedy] = answer;
  return {
    text,
    log_likelihood: logLikelihood,
    per_character: logLikelihood / Math.max(1, [...text].length),
    per_byte: logLikelihood / Math.max(1, Buffer.byteLength(text)),
    // The harness does not say.
    tokens: 0,
    is_greedy: isGreedy,
  };
}

/** The right answer; of a question with choices it is given by its number. */
function targetField(
  target: Json | undefined,
  choices: readonly { readonly text: string }[],
): { readonly target?: string } {
  const number =
    typeof target === 'number'
      ? target
      : typeof target === 'string' && /^\d+$/.test(target)
        ? Number(target)
        : undefined;
  const chosen = number === undefined ? undefined : choices[number]?.text;
  if (chosen !== undefined) return { target: chosen };
  return typeof target === 'string' || typeof target === 'number' ? { target: String(target) } : {};
}
