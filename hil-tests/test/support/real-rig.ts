/** The rig of whoever runs the tests on an arm of their own: KIT_RIG=serial:/dev/ttyUSB0, KIT_ROBOT, and KIT_YES=1 because it moves. */
import { KitError } from '@sim2servo/models/error';

export interface RealRig {
  readonly name: string;
  readonly robot: string;
  /** What will happen, for whoever stands beside it. */
  readonly announcement: string;
}

/** @returns undefined where there is none. @throws KitError E_NOT_CONFIRMED before anything is opened */
export function realRig({ KIT_RIG, KIT_ROBOT, KIT_YES }: NodeJS.ProcessEnv): RealRig | undefined {
  if (KIT_RIG === undefined) return undefined;
  const robot = KIT_ROBOT ?? 'desk2';
  const announcement = `${robot} on ${KIT_RIG} will swing each joint by 0.3 rad, fall silent in mid-motion, and go limp at the end`;
  if (KIT_YES !== '1')
    throw new KitError(
      'E_NOT_CONFIRMED',
      announcement,
      'see that the arm is free and may fall, then add KIT_YES=1',
      'usage',
    );
  return { name: KIT_RIG, robot, announcement };
}
