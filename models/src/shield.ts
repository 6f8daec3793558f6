/**
 * The value shield: what a policy asks for becomes what a joint may be told. A pure function, so simulation trains behind it.
 *
 * Order: finite, shape, lead, range, velocity, acceleration (each at full, then its derated share), soft limits, derating. A limiter made of `min` and `max` lets NaN through
 * (or worse, turns it into an end of the range), so the finite check comes first and refuses the whole tick.
 */
import type { ControlState } from './control-state.js';
import type { RobotSpec } from './robot-spec.js';

/** Why a target was changed; several may stand in one number. */
export const limiters = {
  nonFinite: 1,
  shape: 2,
  range: 4,
  velocity: 8,
  acceleration: 16,
  softLimit: 32,
  derate: 64,
  lead: 128,
} as const;

export type Limiter = keyof typeof limiters;

/** Limiters that refuse the tick: the arm keeps its last target. */
export const refusals = limiters.nonFinite | limiters.shape;

export function limiterNames(bits: number): Limiter[] {
  return (Object.keys(limiters) as Limiter[]).filter(name => (bits & limiters[name]) !== 0);
}

/** Less than this is arithmetic, no limit: rad. */
const rounding = 1e-9;

function allFinite(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

/**
 * @param requested [joints] rad
 * @param dtS       the control period; a period that is no time is refused like a target that is no number
 * @param derate    0 … 1: share of velocity and acceleration that is let through (arming ramp, heat, current, voltage)
 * @param out       [joints] rad; always finite where `state` is
 * @returns         bits of {@link limiters}, 0 where nothing was changed
 */
export function shieldTargets(
  spec: RobotSpec,
  state: ControlState,
  requested: ArrayLike<number>,
  dtS: number,
  derate: number,
  out: Float64Array,
): number {
  const refused =
    requested.length !== spec.joints.length
      ? limiters.shape
      : allFinite(requested) && allFinite(state.position) && Number.isFinite(derate) && dtS > 0 && Number.isFinite(dtS)
        ? 0
        : limiters.nonFinite;
  if (refused !== 0) {
    out.set(state.target);
    return refused;
  }
  const share = Math.max(0, Math.min(1, derate));
  let bits = 0;
  for (let j = 0; j < spec.joints.length; j++) {
    const joint = spec.joints[j]!;
    const from = state.target[j]!;
    // Not taken apart with [low, high]: where that is not compiled away it makes an iterator a joint a tick.
    const low = joint.range[0];
    const high = joint.range[1];

    // An arm that something holds up shall neither press ever harder nor wind up a target that it has to come all the way back from.
    const lead = spec.safety.lead ?? Number.POSITIVE_INFINITY;
    const near = Math.max(state.position[j]! - lead, Math.min(state.position[j]! + lead, requested[j]!));
    if (near !== requested[j]) bits |= limiters.lead;

    const inRange = Math.max(low, Math.min(high, near));
    if (inRange !== near) bits |= limiters.range;

    const asked = (inRange - from) / dtS;
    let velocity = Math.max(-joint.maxVelocity, Math.min(joint.maxVelocity, asked));
    if (velocity !== asked) bits |= limiters.velocity;

    // What is faster than the derated share permits is slowed before its acceleration is looked at: else that would be limited in
    // every tick in which somebody asks for full speed and gets a part.
    const derated = joint.maxVelocity * share;
    const permitted = Math.max(-derated, Math.min(derated, velocity));
    if (permitted !== velocity) bits |= limiters.derate;

    const step = joint.maxAcceleration * dtS;
    const before = state.targetVelocity[j]!;
    const eased = Math.max(before - step, Math.min(before + step, permitted));
    if (eased !== permitted) bits |= limiters.acceleration;
    const gentleStep = joint.maxAcceleration * share * dtS;
    velocity = Math.max(before - gentleStep, Math.min(before + gentleStep, eased));
    if (velocity !== eased) bits |= limiters.derate;

    // Towards an end of the range the velocity tapers to nothing over the soft limit; away from it it is free.
    const room = velocity > 0 ? high - from : from - low;
    const taper = joint.maxVelocity * Math.max(0, Math.min(1, room / spec.safety.softLimit));
    if (Math.abs(velocity) > taper) {
      velocity = Math.sign(velocity) * taper;
      bits |= limiters.softLimit;
    }

    // Where the share has just become smaller, the gentler braking has not reached it yet: the share of the velocity is a hard limit.
    if (Math.abs(velocity) > derated) {
      velocity = Math.sign(velocity) * derated;
      bits |= limiters.derate;
    }

    // An arm that is found outside its range may come back at any permitted speed but never go further out.
    const next = from + velocity * dtS;
    const kept = Math.max(Math.min(low, from), Math.min(Math.max(high, from), next));
    if (Math.abs(kept - next) > rounding) bits |= limiters.range;
    out[j] = kept;
  }
  return bits;
}
