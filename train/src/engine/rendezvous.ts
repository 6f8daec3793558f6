/**
 * Where threads wait for each other without messages: a command that one gives and the others follow, and a barrier that all must reach.
 */
import { KitError } from '@sim2servo/models/error';
import { lookThenSleep } from '@sim2servo/models/look-then-sleep';

const [commandCount, arrived, meetings, broken] = [0, 1, 2, 3] as const;
const headerWords = 16;
/** Commands not yet followed: between two meetings an algorithm gives a handful. A power of two. */
const ringWords = 256;
const patienceMs = 60_000;

export const rendezvousBytes = (headerWords + ringWords) * 4;

export class Rendezvous {
  readonly #words: Int32Array;
  readonly #parties: number;
  #followed = 0;
  #sinceMeeting = 0;

  constructor(memory: SharedArrayBuffer, parties: number) {
    this.#words = new Int32Array(memory);
    this.#parties = parties;
  }

  /** Gives the followers a command, a whole number. */
  command(code: number): void {
    if (++this.#sinceMeeting > ringWords) throw new Error('More commands than the ring holds, and no meeting.');
    const count = Atomics.load(this.#words, commandCount);
    Atomics.store(this.#words, headerWords + (count & (ringWords - 1)), code);
    Atomics.store(this.#words, commandCount, (count + 1) | 0);
    Atomics.notify(this.#words, commandCount);
  }

  /** Waits for the next command, for ever. */
  follow(): number {
    while (Atomics.load(this.#words, commandCount) === this.#followed)
      lookThenSleep(this.#words, commandCount, this.#followed);
    const code = Atomics.load(this.#words, headerWords + (this.#followed & (ringWords - 1)));
    this.#followed = (this.#followed + 1) | 0;
    return code;
  }

  /** Returns when all parties are here. @throws KitError E_SHARD where one broke, or does not come */
  meet(): void {
    this.#sinceMeeting = 0;
    const words = this.#words;
    const meeting = Atomics.load(words, meetings);
    if (Atomics.add(words, arrived, 1) === this.#parties - 1) {
      Atomics.store(words, arrived, 0);
      Atomics.store(words, meetings, (meeting + 1) | 0);
      Atomics.notify(words, meetings);
    } else {
      const deadlineMs = performance.now() + patienceMs;
      while (Atomics.load(words, meetings) === meeting && Atomics.load(words, broken) === 0) {
        lookThenSleep(words, meetings, meeting);
        if (performance.now() > deadlineMs) this.break();
      }
    }
    if (Atomics.load(words, broken) === 1)
      throw new KitError(
        'E_SHARD',
        'A thread of the learner failed, or did not answer for a minute.',
        'Resume from the last checkpoint, with fewer threads if memory is short.',
      );
  }

  /** Tells all that one party will not come any more. */
  break(): void {
    Atomics.store(this.#words, broken, 1);
    Atomics.notify(this.#words, meetings);
  }
}
