/** An arm in memory that goes where it is told at once, on a bus where the host asks. */
import type { ServoLink, ServoMotion, ServoState } from '@sim2servo/firmware-bridge/servo-link';
import type { Clock } from '@sim2servo/models/clock';

export class MemoryArm implements ServoLink, ServoMotion {
  readonly position: Float64Array;
  readonly did: string[] = [];
  writes = 0;
  readonly #clock: Clock;
  #samples = 0;
  #device: ServoState['device'] = 'limp';

  constructor(clock: Clock, position: readonly number[]) {
    this.#clock = clock;
    this.position = Float64Array.from(position);
  }

  async open(): Promise<ServoMotion> {
    this.did.push('open');
    return this;
  }

  async close(): Promise<void> {
    this.did.push('close');
  }

  async read(state: ServoState): Promise<boolean> {
    // Positions that never change at all are what a broken sensor says.
    for (let j = 0; j < this.position.length; j++) state.position[j] = this.position[j]! + 1e-4 * (this.#samples % 2);
    state.sample = ++this.#samples;
    state.sampledAtUs = this.#clock.nowUs();
    state.device = this.#device;
    return true;
  }

  write(targets: Float64Array): void {
    this.writes++;
    this.position.set(targets);
  }

  async arm(): Promise<Float64Array> {
    this.did.push('arm');
    this.#device = 'armed';
    return this.position.slice();
  }

  async halt(kind: string): Promise<void> {
    this.did.push(kind);
    this.#device = 'held';
  }
}
