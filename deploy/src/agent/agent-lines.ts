/** The deployment protocol over two streams: one JSON value a line, both ends. Requests carry numbers, so several may be under way. */
import type { Readable, Writable } from 'node:stream';
import { KitError } from '@sim2servo/models/error';
import { type PackedError, packError, unpackError } from '@sim2servo/models/packed-error';
import type { HistoryEntry } from '@sim2servo/runtime/releases/history';
import { type AnswerTo, answerSchemas, fromAgentSchema, type Request, toAgentSchema } from './protocol.js';
import type { RobotAgent } from './robot-agent.js';

/** A history of a thousand lines fits; what is longer is none of ours. */
export const maxLineBytes = 4 * 2 ** 20;

/**
 * Splits a stream into lines.
 *
 * @throws KitError E_LINE_LENGTH on one that is longer than {@link maxLineBytes}
 */
export async function* linesOf(input: AsyncIterable<Buffer | string>): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of input) {
    let rest = Buffer.from(chunk);
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      yield Buffer.concat([...parts, rest.subarray(0, end)]).toString('utf8');
      parts = [];
      length = 0;
      rest = rest.subarray(end + 1);
    }
    parts.push(rest);
    length += rest.length;
    if (length > maxLineBytes)
      throw new KitError(
        'E_LINE_LENGTH',
        `a line has more than ${maxLineBytes} bytes`,
        'what speaks there is no part of the kit, or of another version',
      );
  }
  if (length > 0) yield Buffer.concat(parts).toString('utf8');
}

/**
 * Answers the requests of `input` until it ends, and then what is under way: what installs is finished, what only waits is let go.
 *
 * @throws KitError E_LINE_LENGTH
 */
export async function serveLines(agent: RobotAgent, input: Readable, output: Writable): Promise<void> {
  const gone = new AbortController();
  // Who asked may have gone in the middle of an answer; the end of `input` says so.
  output.on('error', () => gone.abort());
  const say = (line: object) => {
    if (!output.destroyed) output.write(`${JSON.stringify(line)}\n`);
  };
  const underWay = new Set<Promise<void>>();
  try {
    for await (const line of linesOf(input)) {
      const work = answerLine(agent, line, gone.signal, say);
      underWay.add(work);
      void work.then(() => underWay.delete(work));
    }
  } catch (error) {
    // Whoever destroys it means its end.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  } finally {
    gone.abort();
    await Promise.all(underWay);
  }
}

async function answerLine(
  agent: RobotAgent,
  line: string,
  signal: AbortSignal,
  say: (line: object) => void,
): Promise<void> {
  let id = 0;
  try {
    const value = jsonOf(line);
    const parsed = toAgentSchema.safeParse(value);
    if (!parsed.success) {
      const { id: said } = (value ?? {}) as { id?: unknown };
      if (Number.isSafeInteger(said)) id = said as number;
      throw new KitError(
        'E_AGENT_REQUEST',
        `the robot does not know this request: ${parsed.error.issues[0]!.message}`,
        'provision the robot again with this kit: kit provision',
      );
    }
    id = parsed.data.id;
    const answer = await agent.answer(parsed.data.request, { onEvent: event => say({ id, event }), signal });
    say({ id, answer });
  } catch (error) {
    say({ id, error: packError(error, 'E_AGENT') });
  }
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // The schema's complaint about nothing at all is what the caller says.
    return undefined;
  }
}

interface Pending {
  readonly request: Request;
  readonly onEvent: ((entry: HistoryEntry) => void) | undefined;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: unknown) => void;
}

/** The deployer's end. */
export class AgentLines {
  readonly #output: Writable;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #failure: unknown;

  /** @param lost what it means that `input` ended, or that something else than an agent speaks there */
  constructor(input: Readable, output: Writable, lost: (cause?: unknown) => Promise<KitError>) {
    this.#output = output;
    // The end of `input` says the same, with a reason.
    output.on('error', () => {});
    void this.#read(input)
      .then(
        () => lost(),
        error => lost(error),
      )
      .then(failure => {
        this.#failure = failure;
        for (const { reject } of this.#pending.values()) reject(failure);
        this.#pending.clear();
      });
  }

  /** @throws KitError the agent's own, or what `lost` said */
  request<R extends Request>(request: R, onEvent?: (entry: HistoryEntry) => void): Promise<AnswerTo<R>> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      const id = ++this.#lastId;
      this.#pending.set(id, { request, onEvent, resolve: resolve as Pending['resolve'], reject });
      this.#output.write(`${JSON.stringify({ id, request })}\n`);
    });
  }

  async #read(input: Readable): Promise<void> {
    for await (const line of linesOf(input)) {
      const parsed = fromAgentSchema.safeParse(jsonOf(line));
      if (!parsed.success) throw new Error(`'${line.slice(0, 200)}'`);
      const said = parsed.data;
      const pending = this.#pending.get(said.id);
      if ('event' in said) pending?.onEvent?.(said.event);
      else {
        this.#pending.delete(said.id);
        if (pending !== undefined) settle(pending, said);
      }
    }
  }
}

/** Hands over an answer that fits its request, or the error. */
export function settle(
  { request, resolve, reject }: Pick<Pending, 'request' | 'resolve' | 'reject'>,
  said: { answer?: unknown } | { error: PackedError },
): void {
  if ('error' in said) {
    reject(unpackError(said.error));
    return;
  }
  const answer = answerSchemas[request.kind].safeParse(said.answer);
  if (answer.success) resolve(answer.data as never);
  else
    reject(
      new KitError(
        'E_AGENT_ANSWER',
        `the robot's answer to '${request.kind}' can't be understood: ${answer.error.issues[0]!.path.join('.')}: ${answer.error.issues[0]!.message}`,
        'provision the robot again with this kit: kit provision',
      ),
    );
}
