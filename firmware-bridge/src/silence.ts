/** What an arm does when nobody speaks to it any more, by kind of bus: the one place that knows. docs/safety.md says it at length. */
import type { Bus } from '@sim2servo/models/site';

/** What it takes of a site's bus to know. */
export type SilentBus = Bus extends infer Kind
  ? Kind extends Bus
    ? Pick<Kind, Extract<keyof Kind, 'kind' | 'deadlineMs' | 'leadMs'>>
    : never
  : never;

/** In words, to come after a colon. None of them holds a servo that has lost its torque. */
export function whenSilent(bus: SilentBus): string {
  switch (bus.kind) {
    case 'kitlink':
      return `the board holds the arm by itself ${bus.deadlineMs} ms after the last command, but one that was reset gives no pulses, and its servos are limp`;
    case 'feetech':
      return `these servos have no deadline: each one with torque goes on to its last goal, at most ${bus.leadMs} ms of its greatest speed away, and stands there`;
    case 'dynamixel':
      return `each servo with torque stops by itself ${bus.deadlineMs} ms after the last packet that it heard`;
    case 'mqtt':
      return `the bridge tells its bus to hold ${bus.deadlineMs} ms after the last command; without the bridge that bus does as its own kind does`;
  }
}

/** What a person is told of an arm that may not hold. @param why which joints are not held, or why nobody could be told */
export function holdFailed(why: string, bus: SilentBus): string {
  return `the hold failed: ${why}; when nobody speaks: ${whenSilent(bus)}`;
}
