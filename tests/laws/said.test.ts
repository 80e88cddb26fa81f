import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json, JsonObject } from '../../src/core/json.ts';
import { isObject } from '../../src/core/json.ts';
import * as format from '../../src/stages/format/run-format.ts';
import type { SegmentRole } from '../../src/text/records.ts';
import { openStageRig } from '../stages/stage-rig.ts';

/** How many rows are written with each template. */
const count = Number(process.env.TUNELOOM_LAW_ROWS ?? 60);
const seed = Number(process.env.TUNELOOM_LAW_SEED ?? 20_260_101);

const turnEnd = "{{ '<|end|>\\n' }}";
const header = "{{ '<|' ~ m.role ~ '|>\\n' }}";
const thought =
  "{% if m.reasoning_content %}{{ '<think>\\n' ~ m.reasoning_content ~ '\\n</think>\\n' }}{% endif %}";
const content = "{{ m.content or '' }}";
const calls =
  "{% for c in m.tool_calls or [] %}{{ c.function.name ~ ' ' }}{{ c.function.arguments | tojson }}{% endfor %}";
const opening = "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}";
const turns = (body: string, of = 'messages') =>
  `{% for m in ${of} %}${header}${body}${turnEnd}{% endfor %}${opening}`;

/** Templates that show all of a conversation, or less. */
const templates = {
  whole: `{% if tools %}{{ tools | tojson }}{% endif %}${turns(thought + content + calls)}`,
  'content only': turns(content),
  'no tools': turns(thought + content + calls),
  'no system turn': turns(thought + content + calls, "messages | rejectattr('role', 'equalto', 'system')"),
  'no earlier reasoning': turns(`{% if loop.last %}${thought}{% endif %}${content}${calls}`),
  'calls where the content is null': `{% for m in messages %}${header}{% if m.content is none %}${calls}{% else %}${thought}${content}{% endif %}${turnEnd}{% endfor %}${opening}`,
  'marked answers': `{% for m in messages %}${header}{% if m.role == 'assistant' %}{% generation %}${thought}${content}${calls}${turnEnd}{% endgeneration %}{% else %}${content}${turnEnd}{% endif %}{% endfor %}${opening}`,
  'an end of all': `${turns(content)}{% if not add_generation_prompt %}{{ '<|done|>' }}{% endif %}`,
};

/** Texts that occur nowhere else, so that a text that is in the result is the one that was said. */
let words = 0;
const word = fc.constantFrom('', ' ', '\n').map((space) => {
  words += 1;
  return `w${words}x${space}`;
});
const absent = fc.constantFrom(undefined, null);
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.oneof(value, absent);

const argumentValue = fc.oneof(word, fc.array(word, { maxLength: 2 }), fc.record({ inner: word }));
const call = fc
  .record({
    name: word,
    values: fc.dictionary(
      word.map((text) => text.trim()),
      argumentValue,
      { maxKeys: 2 },
    ),
    asText: fc.boolean(),
  })
  .map(({ name, values, asText }) => ({
    type: 'function',
    function: { name: name.trim(), arguments: asText ? JSON.stringify(values) : values },
  }));
const user = fc.record({ role: fc.constant('user'), content: word, mood: maybe(word) });
const answer = fc.record({
  role: fc.constant('assistant'),
  content: word,
  reasoning_content: maybe(word),
  tool_calls: fc.oneof(absent, fc.constant([])),
  weight: fc.constantFrom(undefined, null, 0, 1),
});
const calling = fc.record({
  role: fc.constant('assistant'),
  content: fc.constantFrom(undefined, null, ''),
  tool_calls: fc.array(call, { minLength: 1, maxLength: 2 }),
  train: fc.constantFrom(undefined, null, true, false),
});
const result = fc.record({ role: fc.constant('tool'), content: word });
const exchange = fc.oneof(
  fc.tuple(user, answer),
  fc.tuple(user, calling, result, answer),
  fc.tuple(user, user, answer),
);
const tool = fc
  .record({ name: word, description: word })
  .map((described) => ({ type: 'function', function: { ...described, parameters: {} } }));
const conversation = fc
  .record({
    system: maybe(word),
    first: fc.option(word),
    exchanges: fc.array(exchange, { minLength: 1, maxLength: 3 }),
    tools: fc.oneof(absent, fc.array(tool, { maxLength: 2 })),
    asText: fc.boolean(),
    extra: fc.dictionary(
      fc.constantFrom('source', 'images', 'history', 'score'),
      fc.oneof(word, fc.array(word), fc.constant(null)),
    ),
  })
  .map(({ first, exchanges, tools, asText, system, extra }): JsonObject => {
    const opening = first === null ? [] : [{ role: 'system', content: first }];
    const messages = [...opening, ...exchanges.flat()];
    const written = (value: unknown) => (asText ? JSON.stringify(value) : value);
    return JSON.parse(
      JSON.stringify({ ...extra, system, messages: written(messages), tools: written(tools ?? null) }),
    );
  });

interface Outcome {
  readonly segments: readonly { readonly role: SegmentRole; readonly text: string }[];
  readonly warnings: readonly string[];
  readonly refusal: string | undefined;
}

async function write(row: JsonObject, template: JsonObject | string): Promise<Outcome> {
  await using rig = await openStageRig();
  await rig.writeRecords('in', [{ id: 'a', ...row }]);
  const config = {
    template,
    apply_chat_template: false,
    train_on_roles: ['assistant'],
    train_on_turns: 'all',
    train_on_reasoning: true,
    conversation: { roles: {} },
    ignore: [],
    expect: { everything_shown: false },
  };
  try {
    await rig.run(format, { config, inputs: { records: 'in' }, outputs: { records: 'out' } });
  } catch (error) {
    const [record] = (error as { records: { problem: string }[] }).records;
    return { segments: [], warnings: [], refusal: record?.problem };
  }
  const [written] = (await rig.readRecords('out')) as unknown as Outcome[];
  const warnings = rig.reports.flatMap((report) => (report.type === 'note' ? report.message : []));
  return { segments: written?.segments ?? [], warnings, refusal: undefined };
}

/** Every text that a value says, without names of roles and types. */
function textsIn(value: Json | undefined): readonly string[] {
  if (typeof value === 'string') return [...value.matchAll(/w\d+x/g)].map(([text]) => text);
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isObject(value) ? Object.values(value as JsonObject).flatMap(textsIn) : [];
}

const parsed = (value: Json | undefined): Json =>
  typeof value === 'string' ? JSON.parse(value) : (value ?? null);

/** What a warning of a text that is not shown has to speak of: a kind of text, or the name of a field. */
function saidIn(row: JsonObject): readonly { readonly text: string; readonly about: string }[] {
  const { messages, tools, system, ...extra } = row;
  const of = (about: string, value: Json | undefined) => textsIn(value).map((text) => ({ text, about }));
  const list = parsed(messages) as readonly JsonObject[];
  const hasOwn = list[0]?.role === 'system';
  return [
    ...Object.entries(extra).flatMap(([name, value]) => of(name, value)),
    ...of(hasOwn ? 'system' : 'content', system),
    ...of('tools', parsed(tools)),
    ...list.flatMap((turn) => [
      ...of('content', turn.content),
      ...of('reasoning', turn.reasoning_content),
      ...of('tool_calls', turn.tool_calls),
      ...of('mood', turn.mood),
    ]),
  ];
}

test.each(Object.entries(templates))(
  'what a row says is in its text, or a warning or an error says that it is not: %s',
  async (_, source) => {
    await fc.assert(
      fc.asyncProperty(conversation, async (row) => {
        const { segments, warnings, refusal } = await write(row, { chat: source });
        if (refusal !== undefined) {
          expect(refusal).toMatch(/the chat template does not write .* of turn \d+ \(assistant\)/);
          return;
        }
        const text = segments.map((segment) => segment.text).join('');
        const lost = saidIn(row).filter((said) => !text.includes(said.text));
        const abouts = new Set(lost.map(({ about }) => about));
        for (const about of abouts)
          expect(warnings.join('\n')).toMatch(new RegExp(`ignore: \\[[^\\]]*\\b${about}\\b`));
        // And nothing else is warned of.
        const named = warnings.flatMap((warning) => /ignore: \[(.*)\]/.exec(warning)?.[1]?.split(', ') ?? []);
        expect(new Set(named)).toEqual(abouts);
      }),
      { numRuns: count, seed },
    );
  },
);

test.each(['whole', 'content only', 'marked answers', 'an end of all'] as const)(
  'an answer is learned unless its row says that it is not, and nothing else is: %s',
  async (name) => {
    await fc.assert(
      fc.asyncProperty(conversation, async (row) => {
        const { segments, refusal } = await write(row, { chat: templates[name] });
        if (refusal !== undefined) return;
        const textOf = (...roles: SegmentRole[]) =>
          segments.flatMap((segment) => (roles.includes(segment.role) ? segment.text : [])).join('');
        const isRead = (turn: JsonObject) => turn.weight === 0 || turn.train === false;
        const all = parsed(row.messages) as readonly JsonObject[];
        const answers = all.filter(({ role }) => role === 'assistant');
        const shown = (turn: JsonObject) =>
          textsIn({ ...turn, mood: null }).filter((text) =>
            segments.some((segment) => segment.text.includes(text)),
          );
        const [masked, learned] = [textOf('masked'), textOf('response', 'end')];
        for (const turn of answers)
          for (const text of shown(turn)) expect((isRead(turn) ? masked : learned).includes(text)).toBe(true);
        const others = all.filter(({ role }) => role !== 'assistant').flatMap(shown);
        for (const text of others) expect(learned + masked).not.toContain(`${text}\n`);
      }),
      { numRuns: count, seed },
    );
  },
);

test('a field of a row that a template does not read is counted, and one that it reads is not', async () => {
  const fields = ['instruction', 'input', 'output', 'system', 'history', 'source'];
  const rows = fc.record(
    { instruction: word, input: word, output: word, system: word, history: fc.array(word), source: word },
    { requiredKeys: ['instruction', 'output'] },
  );
  const written = (names: readonly string[]) => ({
    prompt: names.map((name) => `{% if ${name} %}{{ ${name} }}{% endif %}`).join(' '),
    header: '\n',
    response: '{{ output }}',
  });
  await fc.assert(
    fc.asyncProperty(rows, fc.subarray(fields), async (row, names) => {
      const used = [...names.filter((name) => name !== 'history'), 'output'];
      const { warnings } = await write(row, written(used.filter((name) => name !== 'output')));
      const unused = Object.entries(row)
        .filter(([name, value]) => !used.includes(name) && value.length > 0)
        .map(([name]) => name);
      expect(
        warnings.flatMap((warning) => /ignore: \[(.*)\]/.exec(warning)?.[1]?.split(', ') ?? []).toSorted(),
      ).toEqual(unused.toSorted());
    }),
    { numRuns: count, seed },
  );
});
