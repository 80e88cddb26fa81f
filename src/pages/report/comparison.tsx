import type { Json } from '../../core/index.ts';
import type { FieldChange, ReportPage, StageDifference } from '../../view/index.ts';
import { Table } from '../components/table.tsx';
import { DataText } from '../components/text.tsx';

type Comparison = NonNullable<ReportPage['comparison']>;

/** How the second of two runs differs from the first: params, and what was set of each stage. */
export function ComparedRuns({ comparison }: { readonly comparison: Comparison }) {
  const { params, stages, before, after } = comparison;
  const changes = [
    ...params.map((change) => ({ place: 'params', change })),
    ...stages.flatMap(({ stage, fields }) =>
      fields.filter(isSetting).map((change) => ({ place: stage, change })),
    ),
  ];
  const following = stages.filter(({ fields }) => fields.length > 0 && !fields.some(isSetting));
  const isSame = ({ change }: StageDifference) => change === 'same';
  const same = stages.filter(isSame).map(({ stage }) => stage);
  const others = stages.filter((stage) => !isSame(stage) && stage.fields.length === 0);
  return (
    <div class="block">
      <p>
        Before: <code>{before.run}</code>. After: <code>{after.run}</code>.
      </p>
      {changes.length > 0 && (
        <Table
          label="What changed"
          rows={changes}
          rowKey={({ place, change }) => `${place} ${change.field}`}
          columns={[
            { title: 'where', cell: ({ place }) => place },
            { title: 'field', cell: ({ change }) => <code>{change.field}</code> },
            { title: 'before', cell: ({ change }) => <Value value={change.before} change={change} /> },
            { title: 'after', cell: ({ change }) => <Value value={change.after} change={change} /> },
          ]}
        />
      )}
      {others.map(({ stage, change }) => (
        <p key={stage}>
          <strong>{stage}</strong> {verdicts[change]}.
        </p>
      ))}
      {following.length > 0 && (
        <p class="soft small">Changed because of that: {following.map(({ stage }) => stage).join(', ')}.</p>
      )}
      {same.length > 0 && <p class="soft small">The same in both: {same.join(', ')}.</p>}
    </div>
  );
}

/** Another input is what follows from a stage before. */
const isSetting = ({ field }: FieldChange): boolean => !field.startsWith('from.');

const verdicts: Readonly<Record<StageDifference['change'], string>> = {
  added: 'is only in the later run',
  removed: 'is only in the earlier run',
  unknown: 'cannot be compared: its inputs are not on record',
  changed: 'changed',
  same: 'is the same',
};

/** A digest is cut to what tells two apart. */
function Value({ value, change }: { readonly value: Json | undefined; readonly change: FieldChange }) {
  if (value === undefined)
    return <span class="soft">{change.before === undefined ? 'not set' : 'no longer set'}</span>;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return <DataText text={text.replaceAll(/([0-9a-f]{12})[0-9a-f]{52}/g, '$1')} />;
}
