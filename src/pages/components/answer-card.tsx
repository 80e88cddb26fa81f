import { formatFigure } from '../../core/index.ts';
import type { Answer, AnswerColumn, AnswerRow } from '../../view/index.ts';
import { Badge } from './layout.tsx';
import { LongText } from './text.tsx';

/** One prompt with the expected answer and that of each stage. */
export function AnswerCard({
  row: { id, question, expected, answers },
  columns,
  names,
  find = '',
}: {
  readonly row: AnswerRow;
  readonly columns: readonly AnswerColumn[];
  /** By column. */
  readonly names: readonly string[];
  readonly find?: string;
}) {
  return (
    <li class="answer">
      <div class="answer-head">
        <LongText text={question} find={find} />
        <span class="soft small mono" dir="auto">
          <LongText text={id} find={find} />
        </span>
      </div>
      <dl class="answer-columns">
        {expected !== '' && (
          <div>
            <dt>expected</dt>
            <dd>
              <LongText text={expected} find={find} />
            </dd>
          </div>
        )}
        {answers.map((answer, index) => (
          <div key={names[index]}>
            <dt>
              {names[index]} <Verdict answer={answer} column={columns[index]} />
            </dt>
            <dd>
              {answer === null ? (
                <span class="soft">no answer</span>
              ) : (
                <LongText text={answer.text} find={find} />
              )}
            </dd>
          </div>
        ))}
      </dl>
    </li>
  );
}

/** In words, since color alone says nothing to many readers. */
function Verdict({
  answer,
  column,
}: {
  readonly answer: Answer | null;
  readonly column: AnswerColumn | undefined;
}) {
  if (answer === null) return null;
  const { right, score } = answer;
  const figure = score === undefined || score === 0 || score === 1 ? '' : ` ${formatFigure(score)}`;
  if (right === undefined)
    return score === undefined ? null : (
      <Badge>
        {column?.metric} {formatFigure(score)}
      </Badge>
    );
  return (
    <Badge tone={right ? 'good' : 'bad'}>
      {right ? 'right' : 'wrong'}
      {figure}
    </Badge>
  );
}
