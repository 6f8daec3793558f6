/** From a limp arm to one that may move: an explicit act, from a fresh position, and the first thing it is told is to stay. */
import type { ServoMotion, ServoState } from '@sim2servo/firmware-bridge/servo-link';
import { KitError, messageOf } from '@sim2servo/models/error';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { badPosition } from './sample-reader.js';

const firstSampleUs = 2_000_000;

/** @throws KitError E_NO_SAMPLE, E_POSITION */
export async function freshPosition(spec: RobotSpec, motion: ServoMotion, servo: ServoState): Promise<void> {
  if (!(await motion.read(servo, firstSampleUs)))
    throw new KitError(
      'E_NO_SAMPLE',
      `the device sent no position for ${firstSampleUs / 1e6} s`,
      'check the cable and the board with `kit doctor`',
      'noDevice',
    );
  checkPosition(spec, servo);
}

function checkPosition(spec: RobotSpec, servo: ServoState): void {
  const bad = badPosition(spec, servo);
  if (bad !== '') throw new KitError('E_POSITION', bad, 'check the feedback wires and site.json', 'noDevice');
}

/**
 * Arms. Where anything fails the device is told to hold.
 *
 * @param servo   is given the position at which it is held
 * @param targets [joints] scratch, rad
 */
export async function armInPlace(
  spec: RobotSpec,
  motion: ServoMotion,
  servo: ServoState,
  targets: Float64Array,
): Promise<void> {
  try {
    // The arm may have moved since it was read: it stays where the device has told it to.
    servo.position.set(await motion.arm());
    checkPosition(spec, servo);
    targets.set(servo.position);
    // The device's deadline runs from here on: it is told to stay before anything else is waited for.
    motion.write(targets);
    await freshPosition(spec, motion, servo);
  } catch (error) {
    const untold = await motion.halt('hold').then(
      () => '',
      (haltError: unknown) => `; nor could it be told to hold: ${messageOf(haltError)}`,
    );
    if (untold === '' || !(error instanceof KitError)) throw error;
    throw new KitError(error.code, `${error.message}${untold}`, error.hint, error.exit, { cause: error });
  }
}
