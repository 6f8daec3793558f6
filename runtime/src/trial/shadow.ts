/** The new policy beside the old one: it infers on what the old one saw, moves nothing, and its answers are compared. */
import type { Bundle } from '@sim2servo/models/bundle/load-bundle';
import { Histogram } from '../histogram.js';
import { openPolicySession, type PolicySession } from '../policy-session.js';
import { emptyRecord, type PolicyRecord } from '../releases/policy-record.js';

/** Actions that lie further apart count as different: a twentieth of their range. */
export const differingBy = 0.1;

export class Shadow {
  readonly #session: PolicySession;
  readonly #sums: Float64Array;
  readonly #largest: Float64Array;
  readonly #inferUs = new Histogram();
  #ticks = 0;
  #differing = 0;
  #nonFinite = 0;

  /** @throws KitError E_MODEL_LOAD, E_BUNDLE_GOLDEN, E_NO_INFERENCE */
  static async open(bundle: Bundle): Promise<Shadow> {
    return new Shadow(await openPolicySession(bundle));
  }

  private constructor(session: PolicySession) {
    this.#session = session;
    this.#sums = new Float64Array(session.action.length);
    this.#largest = new Float64Array(session.action.length);
  }

  /** @param action what the one that drives has answered to the same observation */
  async see(observation: Float32Array, action: Float32Array): Promise<void> {
    const session = this.#session;
    session.observation.set(observation);
    const from = performance.now();
    await session.infer();
    this.#inferUs.record((performance.now() - from) * 1000);
    this.#ticks++;
    if (!session.action.every(Number.isFinite)) {
      this.#nonFinite++;
      return;
    }
    let furthest = 0;
    for (let j = 0; j < action.length; j++) {
      const apart = Math.abs(session.action[j]! - action[j]!);
      this.#sums[j]! += apart;
      this.#largest[j] = Math.max(this.#largest[j]!, apart);
      furthest = Math.max(furthest, apart);
    }
    if (furthest > differingBy) this.#differing++;
  }

  /** As if it had driven: of what only one that drives can do there is nothing in it. */
  record(): PolicyRecord {
    return {
      ...emptyRecord,
      ticks: this.#ticks,
      refusedTicks: this.#nonFinite,
      inferP99Us: this.#ticks === 0 ? 0 : this.#inferUs.percentile(0.99),
    };
  }

  /** How far its actions lie from the other one's: mean and largest of each joint, and the share of the ticks in which any joint's do by more than {@link differingBy}. */
  disagreement(): { mean: number[]; largest: number[]; differingShare: number } {
    const compared = this.#ticks - this.#nonFinite;
    return {
      mean: Array.from(this.#sums, sum => (compared === 0 ? 0 : sum / compared)),
      largest: Array.from(this.#largest),
      differingShare: compared === 0 ? 0 : this.#differing / compared,
    };
  }

  async close(): Promise<void> {
    await this.#session.dispose();
  }
}
