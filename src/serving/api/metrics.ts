/** What a request came to, for the log and the metrics. */
export interface RequestLine {
  readonly method: string;
  readonly path: string;
  /** 499 if the client left before its answer. */
  readonly status: number;
  readonly stream: boolean;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly milliseconds: number;
  /** The field `user` of the request. */
  readonly user?: string | undefined;
}

/** What the model's process does now. */
interface Present {
  readonly running: number;
  readonly waiting: number;
  readonly restarts: number;
  readonly ready: boolean;
}

/** Counts what the server has done, for Prometheus. */
export class Metrics {
  readonly #requests = new Map<string, number>();
  #promptTokens = 0;
  #completionTokens = 0;
  #milliseconds = 0;

  count({ path, status, promptTokens, completionTokens, milliseconds }: RequestLine): void {
    const labels = `path="${path}",status="${status}"`;
    this.#requests.set(labels, (this.#requests.get(labels) ?? 0) + 1);
    this.#promptTokens += promptTokens;
    this.#completionTokens += completionTokens;
    this.#milliseconds += milliseconds;
  }

  /** In Prometheus' text format. */
  text({ running, waiting, restarts, ready }: Present): string {
    const requests = [...this.#requests].map(
      ([labels, count]) => `tuneloom_requests_total{${labels}} ${count}`,
    );
    const lines = [
      ...metric('requests_total', 'counter', 'Requests that have ended.'),
      ...requests,
      ...metric('request_seconds_total', 'counter', 'The time that they took, together.'),
      `tuneloom_request_seconds_total ${this.#milliseconds / 1000}`,
      ...metric('tokens_total', 'counter', 'Tokens of prompts, and tokens that were written.'),
      `tuneloom_tokens_total{kind="prompt"} ${this.#promptTokens}`,
      `tuneloom_tokens_total{kind="completion"} ${this.#completionTokens}`,
      ...metric('answers', 'gauge', 'Answers that are being written, and that wait for their turn.'),
      `tuneloom_answers{state="running"} ${running}`,
      `tuneloom_answers{state="waiting"} ${waiting}`,
      ...metric('model_restarts_total', 'counter', 'How often the process of the model was started again.'),
      `tuneloom_model_restarts_total ${restarts}`,
      ...metric('model_ready', 'gauge', 'Whether the model is loaded.'),
      `tuneloom_model_ready ${ready ? 1 : 0}`,
    ];
    return `${lines.join('\n')}\n`;
  }
}

const metric = (name: string, type: 'counter' | 'gauge', help: string): readonly string[] => [
  `# HELP tuneloom_${name} ${help}`,
  `# TYPE tuneloom_${name} ${type}`,
];
