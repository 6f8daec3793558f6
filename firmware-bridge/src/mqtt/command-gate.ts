/**
 * Which commands the bridge obeys. A broker delivers late, twice, out of order, from days ago and from anybody: what is obeyed must show by
 * itself that it is meant for now. Pure rules over the bridge's clock; each refusal is counted under its reason.
 */
import { type Command, commandSchema, decode, type Refusal, refusals } from '@sim2servo/models/bridge-messages';

export interface Incoming {
  readonly payload: string;
  /** As the publisher asked for it. */
  readonly retained: boolean;
}

export type Judgement = { readonly command: Command } | { readonly refusal: Refusal; readonly command?: Command };

export class CommandGate {
  readonly #boot: number;
  readonly #joints: number;
  readonly #deadlineMs: number;
  readonly refused = Object.fromEntries(refusals.map(name => [name, 0])) as Record<Refusal, number>;
  /** Commands let through. */
  obeyed = 0;
  #session = 0;
  #endedSession = 0;
  #sequence = 0;
  #expiresUs = 0;
  #newestUs = -1;

  /** @param deadlineMs the longest that any command may count */
  constructor(boot: number, joints: number, deadlineMs: number) {
    this.#boot = boot;
    this.#joints = joints;
    this.#deadlineMs = deadlineMs;
  }

  /** Whose commands are obeyed; 0: nobody's. */
  get session(): number {
    return this.#session;
  }

  /** When the last command that was obeyed no longer counts. */
  get expiresUs(): number {
    return this.#expiresUs;
  }

  /** A sample was sent: it may be answered. */
  sampled(sampleUs: number): void {
    this.#newestUs = Math.max(this.#newestUs, sampleUs);
  }

  /** The arm was armed for `command`, at `nowUs`. */
  begin(command: Command, nowUs: number): void {
    this.#session = command.session;
    this.#sequence = command.sequence;
    this.#expiresUs = nowUs + this.#ttlUs(command);
  }

  /** Nothing of this session counts any more, for good. */
  end(): void {
    if (this.#session !== 0) this.#endedSession = this.#session;
    this.#session = 0;
  }

  /** Whether a command that was let through earlier still is: somebody may have armed meanwhile. */
  stillFor({ session }: Command): boolean {
    if (this.#session === 0 || session === this.#session) return true;
    this.refused.busy++;
    return false;
  }

  judge({ payload, retained }: Incoming, nowUs: number): Judgement {
    const command = decode(commandSchema, payload);
    const refusal = retained ? 'retained' : command === undefined ? 'malformed' : this.#refusal(command, nowUs);
    if (refusal !== undefined) {
      this.refused[refusal]++;
      return { refusal, ...(command !== undefined && { command }) };
    }
    this.obeyed++;
    if (command!.session === this.#session) {
      this.#sequence = command!.sequence;
      if (command!.kind === 'motion') this.#expiresUs = command!.sampleUs + this.#ttlUs(command!);
    }
    return { command: command! };
  }

  #ttlUs({ ttlMs }: Command): number {
    return Math.min(ttlMs, this.#deadlineMs) * 1000;
  }

  #refusal(command: Command, nowUs: number): Refusal | undefined {
    const { kind, session, sequence, sampleUs } = command;
    if (command.boot !== this.#boot) return 'boot';
    if (kind === 'motion' && command.targetsRad.length !== this.#joints) return 'malformed';
    // A hold is never too old: what is held already does not move.
    const fresh = sampleUs <= this.#newestUs && nowUs <= sampleUs + this.#ttlUs(command);
    if (kind !== 'hold' && !fresh) return 'stale';
    if (this.#session !== 0 && session === this.#session) return sequence > this.#sequence ? undefined : 'sequence';
    if (kind === 'motion') return 'session';
    if (this.#session !== 0) return 'busy';
    if (kind === 'arm' && (session === 0 || session === this.#endedSession)) return 'session';
    return undefined;
  }
}

/** @param host who has the arm */
export function refusalWords(refusal: Refusal, host: string): string {
  switch (refusal) {
    case 'retained':
      return 'a retained message: it was not meant for now';
    case 'malformed':
      return 'it is no command as docs/mqtt.md has it';
    case 'boot':
      return 'it was meant for the bridge before it was restarted';
    case 'stale':
      return 'it answers a sample that is too old, or that never was';
    case 'busy':
      return `another host has the arm: ${host}`;
    case 'session':
      return 'its motion session is over, or never began';
    case 'sequence':
      return 'it is not newer than the last one';
  }
}

/** What to do about it. */
export function refusalHint(refusal: Refusal): string {
  if (refusal === 'busy') return 'end the other run first';
  if (refusal === 'stale') return 'the network is slower than deadlineMs: raise it on both sides, or come closer';
  return 'begin anew';
}
