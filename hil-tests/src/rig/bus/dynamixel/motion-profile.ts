/**
 * How a servo goes from where it is to a goal that may change at any time: a trapezoid of speed, never faster than its velocity, never
 * harder than its acceleration, and at rest at the goal. 0 means no limit, as in the servo's own registers.
 */

/** Short against any period of a control loop. */
const stepS = 0.0005;

export interface ProfileLimits {
  /** Counts a second, and per second. */
  readonly velocity: number;
  readonly acceleration: number;
}

export class MotionProfile {
  /** Counts. */
  position = 0;
  /** Counts a second. */
  velocity = 0;

  /** At rest at a place. */
  place(position: number): void {
    this.position = position;
    this.velocity = 0;
  }

  advance(goal: number, limits: ProfileLimits, seconds: number): void {
    if (limits.velocity === 0) {
      this.place(goal);
      return;
    }
    for (let left = seconds; left > 0; left -= stepS) this.#step(goal, limits, Math.min(left, stepS));
  }

  #step(goal: number, { velocity, acceleration }: ProfileLimits, seconds: number): void {
    const way = goal - this.position;
    const most = acceleration === 0 ? velocity : Math.min(velocity, Math.sqrt(2 * acceleration * Math.abs(way)));
    const change = Math.sign(way) * most - this.velocity;
    const mostChange = acceleration === 0 ? Math.abs(change) : acceleration * seconds;
    this.velocity += Math.max(-mostChange, Math.min(mostChange, change));
    const stride = this.velocity * seconds;
    if (Math.sign(stride) === Math.sign(way) && Math.abs(stride) >= Math.abs(way)) this.place(goal);
    else this.position += stride;
  }
}
