/** Which messages from a broker the agent obeys. Pure rules over the robot's clock; each refusal is counted under its reason. */
import { decode } from '@sim2servo/models/bridge-messages';
import { sha256 } from '@sim2servo/models/digest';
import { maxLineBytes } from '../agent/agent-lines.js';
import {
  type Ask,
  type Chunk,
  chunkSchema,
  type HostMessage,
  hostMessageSchema,
  maxTtlMs,
  type Refusal,
  refusals,
} from '../targets/mqtt-messages.js';

export interface Incoming {
  readonly payload: string;
  /** As its publisher asked for it. */
  readonly retained: boolean;
}

/** With more than these the one that was silent for longest is forgotten. */
const maxSessions = 32;

export type Judged<Message> = { readonly message: Message } | { readonly refusal: Refusal; readonly message?: Message };

export class RequestGate {
  readonly #boot: number;
  /** Last sequence of each session, the one that spoke last at the end. */
  readonly #sessions = new Map<number, number>();
  readonly refused = Object.fromEntries(refusals.map(name => [name, 0])) as Record<Refusal, number>;

  constructor(boot: number) {
    this.#boot = boot;
  }

  /** @returns the session that had to go for it */
  open(session: number): number | undefined {
    this.#touch(session, this.#sessions.get(session) ?? 0);
    if (this.#sessions.size <= maxSessions) return undefined;
    const [oldest] = this.#sessions.keys();
    this.#sessions.delete(oldest!);
    return oldest;
  }

  close(session: number): void {
    this.#sessions.delete(session);
  }

  /** An `ask` whose sequence is the session's last is let through again: it was asked twice, and is to be answered from what was done. */
  judge(incoming: Incoming, nowMs: number): Judged<HostMessage> {
    return this.#counted(incoming, hostMessageSchema, message =>
      message.kind === 'open' ? undefined : (this.#known(message) ?? this.#ask(message, nowMs)),
    );
  }

  judgeChunk(incoming: Incoming): Judged<Chunk & { readonly bytes: Buffer }> {
    const judged = this.#counted(incoming, chunkSchema, chunk =>
      sha256(Buffer.from(chunk.base64, 'base64')) === chunk.digest ? this.#known(chunk) : 'malformed',
    );
    const { message } = judged;
    if (message === undefined) return judged as Judged<never>;
    return { ...judged, message: { ...message, bytes: Buffer.from(message.base64, 'base64') } };
  }

  #counted<Message>(
    { payload, retained }: Incoming,
    schema: Parameters<typeof decode<Message>>[0],
    rule: (message: Message) => Refusal | undefined,
  ): Judged<Message> {
    const message = payload.length > maxLineBytes ? undefined : decode(schema, payload);
    const refusal = retained ? 'retained' : message === undefined ? 'malformed' : rule(message);
    if (refusal === undefined) return { message: message! };
    this.refused[refusal]++;
    return { refusal, ...(message !== undefined && { message }) };
  }

  #known({ boot, session }: { readonly boot: number; readonly session: number }): Refusal | undefined {
    if (boot !== this.#boot) return 'boot';
    const sequence = this.#sessions.get(session);
    if (sequence === undefined) return 'session';
    this.#touch(session, sequence);
    return undefined;
  }

  #ask(message: Ask | { readonly kind: 'close' }, nowMs: number): Refusal | undefined {
    if (message.kind === 'close') return undefined;
    const { session, sequence, untilMs } = message;
    if (untilMs < nowMs || untilMs > nowMs + maxTtlMs) return 'expired';
    if (sequence < this.#sessions.get(session)!) return 'sequence';
    this.#touch(session, sequence);
    return undefined;
  }

  #touch(session: number, sequence: number): void {
    this.#sessions.delete(session);
    this.#sessions.set(session, sequence);
  }
}
