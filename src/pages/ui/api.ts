/** A request that the server refused, in words for the person. */
export class RequestError extends Error {
  readonly help: string | undefined;

  constructor(message: string, help?: string) {
    super(message);
    this.help = help;
  }
}

/** Reads from the server. All addresses are below the page's own. */
export const get = <Answer>(path: string, query: Query = {}): Promise<Answer> => {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, `${value}`]],
  );
  const search = new URLSearchParams(pairs).toString();
  return request<Answer>(`api/${path}${search === '' ? '' : `?${search}`}`);
};

export type Query = Readonly<Record<string, string | number | undefined>>;

/** Changes something on the server. */
export const send = <Answer>(method: 'POST' | 'PUT', path: string, body: object = {}): Promise<Answer> =>
  request<Answer>(`api/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

async function request<Answer>(address: string, options: RequestInit = {}): Promise<Answer> {
  const response = await fetch(address, options).catch(() => undefined);
  if (response === undefined)
    throw new RequestError(
      'The server does not answer.',
      'It may have been stopped: start `tuneloom ui` again.',
    );
  if (response.ok) return (await response.json()) as Answer;
  throw await errorOf(response);
}

async function errorOf(response: Response): Promise<RequestError> {
  const body: unknown = await response.json().catch(() => undefined);
  const { error } = (body ?? {}) as { readonly error?: { readonly message: string; readonly help?: string } };
  return new RequestError(error?.message ?? `the server answered ${response.status}`, error?.help);
}

/** Posts a message and passes on the events of the answer as they come. */
export async function stream(
  path: string,
  body: object,
  {
    signal,
    onEvent,
  }: { readonly signal: AbortSignal; readonly onEvent: (name: string, data: unknown) => void },
): Promise<void> {
  const response = await fetch(`api/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal,
  });
  if (!response.ok || response.body === null) throw await errorOf(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (held + value).split('\n\n');
    held = events.pop() ?? '';
    for (const event of events) {
      const name = /^event: (.*)$/m.exec(event)?.[1] ?? '';
      const data = /^data: (.*)$/m.exec(event)?.[1] ?? 'null';
      onEvent(name, JSON.parse(data));
    }
  }
}
