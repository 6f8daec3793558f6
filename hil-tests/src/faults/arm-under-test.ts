/** An arm on a bench, in virtual time, behind one kind of bus: what every fault and every judge needs of it. */
import type { ServoLink } from '@sim2servo/firmware-bridge/servo-link';
import type { Clock } from '@sim2servo/models/clock';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import type { Bus } from '@sim2servo/models/site';
import type { DeviceClock, EmulatedDevice } from '../rig/emulated-device.js';

/** Where the joints truly were, rad. */
export interface Pose {
  readonly timeUs: number;
  readonly anglesRad: readonly number[];
}

export interface ArmUnderTest {
  readonly bus: Bus['kind'];
  /** As the host knows it. */
  readonly robot: LoadedRobot;
  /** Of the policy on it. */
  readonly controlRateHz: number;
  readonly clock: Clock;
  readonly link: ServoLink;
  /** Every few milliseconds, the newest last. */
  readonly trace: readonly Pose[];
  /** Lets time go by until `work` is over. */
  during<T>(work: Promise<T>): Promise<T>;
  /** Every sensor goes on saying what it says now, until the function that comes back is called. */
  freezeSensors(): () => void;
  /** Pulls the cable of the servos; and plugs it in again, which opens nothing. */
  unplug(): void;
  replug(): void;
  /** The host's process is gone: what it had open is closed. */
  hostGone(): void;
  dispose(): Promise<void>;
}

/** How the time of a device is made; one program waits on it, or several. */
export type ClockOf<Time extends DeviceClock = DeviceClock> = (device: EmulatedDevice) => Time;

/** Time between two poses of a trace. */
export const poseUs = 2_000;
