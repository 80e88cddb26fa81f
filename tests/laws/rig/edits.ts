import fc from 'fast-check';

/** Ways to change a file; the last two leave the place, the size and the time as they may have been. */
export type WayToWrite = 'in place' | 'replaced' | 'at an old time';

/** One thing that a user does between two runs. Numbers choose among what exists, so that every edit fits every project. */
export type Edit =
  | {
      readonly do: 'set';
      readonly field: number;
      readonly value: number;
      readonly as: 'value' | 'param' | 'nothing' | 'command line';
    }
  | {
      readonly do: 'param';
      readonly param: number;
      readonly value: number;
      readonly at: 'file' | 'command line' | 'file only';
    }
  | { readonly do: 'add'; readonly kind: number; readonly id: number }
  | { readonly do: 'remove'; readonly stage: number }
  | { readonly do: 'rename'; readonly stage: number; readonly id: number }
  | { readonly do: 'rewire'; readonly port: number; readonly offer: number }
  /** An edit of a pipeline that others use. */
  | { readonly do: 'in part'; readonly part: number; readonly edit: Edit }
  | {
      readonly do: 'sweep';
      readonly param: number;
      /** Of the values of the field, in this order; none take the parameter out of the sweep. */
      readonly values: readonly number[];
      readonly as: 'grid' | 'points';
    }
  | { readonly do: 'file'; readonly file: number; readonly content: number; readonly how: WayToWrite }
  | { readonly do: 'own stage'; readonly file: number; readonly content: number; readonly how: WayToWrite }
  | { readonly do: 'layers'; readonly layers: number }
  | { readonly do: 'restyle'; readonly style: number }
  | { readonly do: 'name'; readonly name: string }
  | { readonly do: 'command line as it was' }
  | { readonly do: 'nothing' };

export type Of<Kind extends Edit['do']> = Extract<Edit, { do: Kind }>;

const pick = fc.nat({ max: 59 });
const how = fc.constantFrom<WayToWrite[]>('in place', 'replaced', 'at an old time');

type Weighted = { readonly weight: number; readonly arbitrary: fc.Arbitrary<Edit> };

/** What can be done to a pipeline, and to one that others use. */
const ofStages: readonly Weighted[] = [
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('set'),
      field: pick,
      value: pick,
      as: fc.constantFrom('value', 'value', 'value', 'param', 'param', 'nothing', 'command line'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('param'),
      param: pick,
      value: pick,
      at: fc.constantFrom('file', 'file', 'command line', 'file only'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('add'), kind: pick, id: pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove'), stage: pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rename'), stage: pick, id: pick }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('rewire'), port: pick, offer: pick }) },
];

export const anyEdit: fc.Arbitrary<Edit> = fc.oneof(
  ...ofStages,
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('in part'),
      part: pick,
      edit: fc.oneof(...ofStages),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('sweep'),
      param: pick,
      values: fc.uniqueArray(fc.nat({ max: 3 }), { maxLength: 3 }),
      as: fc.constantFrom('grid', 'points'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('file'), file: pick, content: pick, how }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('own stage'), file: pick, content: pick, how }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('layers'), layers: fc.nat({ max: 2 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('restyle'), style: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('name'), name: fc.constantFrom('walk', 'stroll') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('command line as it was') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('nothing') }) },
);
