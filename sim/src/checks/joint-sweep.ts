/**
 * Each joint through its whole range in simulation, as the servo model turns it: does it come to both ends, and do the others stay?
 *
 * The others stand in a posture that leaves the way free of the desk: home where that does, else one found by chance. An arm of which some
 * joint has no such posture has limits that it can never use.
 */
import { KitError } from '@sim2servo/models/error';
import { Random } from '@sim2servo/models/random';
import { type LoadedRobot, servosInOrder } from '@sim2servo/models/robot-folder';
import { servoScale } from '@sim2servo/models/servo-scale';
import { nominalArm } from '../arm-variation.js';
import { ServoArm } from '../servo-arm.js';
import { degrees, type RobotCheck } from './robot-check.js';
import { jointPlaces, place } from './still-checks.js';

/** A servo's proportional control gives way to the load: so far it may. */
const toleranceRad = 0.1;
const tries = 200;
const looks = 13;
const tickS = 0.02;
/** Time to come to rest at an end. */
const settleS = 1;

/** Every joint of a robot, one after the other. */
export async function sweepJoints(
  robot: LoadedRobot,
  { signal, onJoint }: { readonly signal?: AbortSignal; readonly onJoint?: (name: string) => void } = {},
): Promise<RobotCheck[]> {
  const arm = await ServoArm.create(robot);
  try {
    const checks: RobotCheck[] = [];
    for (const [j, { name }] of robot.spec.joints.entries()) {
      // Ctrl-C is heard between two joints.
      await new Promise(setImmediate);
      if (signal?.aborted)
        throw new KitError(
          'E_INTERRUPTED',
          `the checks of ${robot.spec.name} were stopped before the sweep of ${name}`,
          `kit check ${robot.folder} begins them anew`,
          'interrupt',
        );
      onJoint?.(name);
      checks.push(sweep(robot, arm, j));
    }
    return checks;
  } finally {
    arm.dispose();
  }
}

/** A posture of the others in which joint `j` turns without touching the desk, and else what it touches at home. */
function freePosture({ spec }: LoadedRobot, { world }: ServoArm, j: number): readonly number[] | string {
  const places = jointPlaces(spec, world);
  const random = new Random(1).fork(`sweep ${j}`);
  const [low, high] = spec.joints[j]!.range;
  let first = '';
  for (let i = 0; i < tries; i++) {
    const posture = spec.joints.map(({ home, range }) => (i === 0 ? home : random.uniform(...range)));
    let touched = '';
    for (let look = 0; look < looks && touched === ''; look++) {
      posture[j] = low + ((high - low) * look) / (looks - 1);
      place(world, places, posture);
      world.forward();
      const [found] = world.touching();
      if (found !== undefined) touched = `at ${degrees(posture[j]!)} ${found[0]} touches ${found[1]}`;
    }
    if (touched === '') return posture;
    if (i === 0) first = touched;
  }
  return first;
}

function sweep(robot: LoadedRobot, arm: ServoArm, j: number): RobotCheck {
  const { spec, site } = robot;
  const { name, range, home, maxVelocity } = spec.joints[j]!;
  const check = (passed: boolean, detail: string) => ({ name: `sweep of ${name}`, passed, detail });
  const free = freePosture(robot, arm, j);
  if (typeof free === 'string') return check(false, `no posture of the others leaves the way free: ${free} from home`);
  const scales = servosInOrder(spec, site).map(servoScale);
  const targets = [...free];
  targets[j] = home;
  arm.reset(targets, nominalArm, new Random(1));
  const hold = (seconds: number) => {
    for (let t = 0; t < seconds; t += tickS) {
      arm.setTargets(targets.map((target, i) => scales[i]!.commandedAngle(target)));
      arm.advance(tickS);
    }
  };
  const apartRad: number[] = [];
  const yielding = new Map<string, number>();
  for (const end of range) {
    while (targets[j] !== end) {
      const way: number = end - targets[j]!;
      const step = maxVelocity * tickS;
      targets[j] = Math.abs(way) <= step ? end : targets[j]! + Math.sign(way) * step;
      hold(tickS);
    }
    hold(settleS);
    const off = targets.map((target, i) => Math.abs(arm.angle(i) - target));
    apartRad.push(off[j]!);
    for (const i of [j, ...targets.keys()]) {
      if (off[i]! <= toleranceRad) continue;
      const { words, isStopped } = misplaced(robot, arm, targets[i]!, i);
      if (i === j) return check(false, words);
      if (isStopped) return check(false, `meanwhile ${spec.joints[i]!.name} ${words}`);
      // A soft servo bends under its load: that is no matter of the joint that is swept.
      yielding.set(spec.joints[i]!.name, off[i]!);
    }
  }
  const bent = [...yielding].map(([joint, rad]) => `; meanwhile ${joint} gives way by ${degrees(rad)}`);
  const apart = ((Math.max(...apartRad) * 180) / Math.PI).toFixed(1);
  return check(true, `${range.map(degrees).join(' … ')}, ${apart}° apart at most${bent.join('')}`);
}

/** How joint `i` is not where it is told to be, and whether that is all that it can do. */
function misplaced(
  { spec }: LoadedRobot,
  arm: ServoArm,
  target: number,
  i: number,
): { readonly words: string; readonly isStopped: boolean } {
  const { world } = arm;
  const actuator = world.id('actuator', spec.joints[i]!.name);
  const pullsNm = Math.abs(world.views.actuatorForce[actuator]!);
  const mostNm = world.model.actuator_forcerange[2 * actuator + 1] as number;
  const [touched] = world.touching();
  const isSpent = pullsNm > 0.98 * mostNm;
  const pulls = isSpent ? `with all its ${mostNm.toFixed(2)} N·m` : `${pullsNm.toFixed(2)} of ${mostNm.toFixed(2)} N·m`;
  const why =
    touched === undefined
      ? `${isSpent ? 'too weak' : 'it gives way'}, it pulls ${pulls}`
      : `${touched[0]} touches ${touched[1]}, it pulls ${pulls}`;
  return {
    words: `stands at ${degrees(arm.angle(i))} instead of ${degrees(target)}: ${why}`,
    isStopped: isSpent || touched !== undefined,
  };
}
