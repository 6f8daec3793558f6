/** Checks of a robot folder in which nothing moves: its files and its scene against each other, and against the servos. */
import { KitError } from '@sim2servo/models/error';
import { pulseOfAngle } from '@sim2servo/models/hobby-servo';
import { fingertip } from '@sim2servo/models/kinematics';
import { observationSize } from '@sim2servo/models/observe';
import { Random } from '@sim2servo/models/random';
import { type LoadedRobot, servosInOrder } from '@sim2servo/models/robot-folder';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { servoScale } from '@sim2servo/models/servo-scale';
import { countsPerTurn, type Servo } from '@sim2servo/models/site';
import { heldOutGoals } from '@sim2servo/models/tasks/held-out-goals';
import { hold } from '@sim2servo/models/tasks/hold';
import { reach } from '@sim2servo/models/tasks/reach';
import { samplePosture } from '@sim2servo/models/tasks/reachable-set';
import type { Task } from '@sim2servo/models/tasks/task';
import { track } from '@sim2servo/models/tasks/track';
import type { MujocoWorld } from '../mujoco-world.js';
import { degrees, type RobotCheck } from './robot-check.js';

const postures = 200;
/** robot.json is written by hand: a hundredth of a millimetre is a rounding, more is a mistake. */
const fingertipToleranceM = 1e-5;
const goals = 500;

/** [joints] */
interface JointPlaces {
  readonly qpos: readonly number[];
  readonly dof: readonly number[];
}

export function jointPlaces(spec: RobotSpec, world: MujocoWorld): JointPlaces {
  const ids = spec.joints.map(({ name }) => world.id('joint', name));
  return { qpos: ids.map(id => world.model.jnt_qposadr[id]), dof: ids.map(id => world.model.jnt_dofadr[id]) };
}

export function place(world: MujocoWorld, { qpos }: JointPlaces, position: ArrayLike<number>): void {
  const { views } = world;
  views.qvel.fill(0);
  for (const [j, at] of qpos.entries()) views.qpos[at] = position[j]!;
}

export function sizesCheck({ spec }: LoadedRobot): RobotCheck {
  const { observation, actionHistory, joints, action } = spec;
  return {
    name: 'observation and action',
    passed: true,
    detail: `${observationSize(spec)} numbers (${observation.join(', ')}, the last ${actionHistory}) and ${joints.length} (${action.kind})`,
  };
}

/** What a servo is told at the ends of its joint's range, and what it can be told. loadRobot refuses what does not fit. */
function servoEnds(servo: Servo, [low, high]: readonly [number, number]): string {
  if (servo.kind === 'hobby-pwm')
    return `${pulseOfAngle(servo, low).toFixed(0)} … ${pulseOfAngle(servo, high).toFixed(0)} of ${servo.pulseUs.join(' … ')} µs`;
  const { countsOfAngle } = servoScale(servo);
  return `${countsOfAngle(low).toFixed(0)} … ${countsOfAngle(high).toFixed(0)} of 0 … ${countsPerTurn - 1}`;
}

export function limitsCheck({ spec, site }: LoadedRobot, world: MujocoWorld): RobotCheck {
  const servos = servosInOrder(spec, site);
  const short = spec.joints.flatMap(({ name, range }) => {
    const id = world.id('joint', name);
    const [low, high] = [world.model.jnt_range[2 * id] as number, world.model.jnt_range[2 * id + 1] as number];
    // Without a limit both are 0.
    if (low >= high || (low <= range[0] && high >= range[1])) return [];
    return [
      `${name} turns from ${degrees(low)} to ${degrees(high)} in the scene, robot.json says ${range.map(degrees).join(' to ')}`,
    ];
  });
  const ends = spec.joints.map(({ name, range }, j) => `${name} ${servoEnds(servos[j]!, range)}`);
  return {
    name: "limits inside the servos' turn",
    passed: short.length === 0,
    detail: (short.length > 0 ? short : ends).join('; '),
  };
}

export function speedsCheck({ spec }: LoadedRobot, world: MujocoWorld): RobotCheck {
  const fastest = world.numerics('servo_speed_rad_s', spec.joints.length);
  const ends = spec.joints.map(({ name, maxVelocity }, j) => ({ name, maxVelocity, can: fastest[j]! }));
  const over = ends.filter(({ maxVelocity, can }) => maxVelocity > can);
  const nearest = ends.reduce((worst, one) =>
    one.maxVelocity / one.can > worst.maxVelocity / worst.can ? one : worst,
  );
  return {
    name: "speeds within the servos'",
    passed: over.length === 0,
    detail: (over.length > 0 ? over : [nearest])
      .map(({ name, maxVelocity, can }) => `${name} ${maxVelocity} of ${can.toFixed(2)} rad/s without load`)
      .join('; '),
  };
}

/** Where robot.json puts the fingertip and where MuJoCo puts it. */
export function fingertipCheck({ spec }: LoadedRobot, world: MujocoWorld): RobotCheck {
  const random = new Random(1);
  const site = world.id('site', 'fingertip');
  const places = jointPlaces(spec, world);
  const expected = new Float64Array(3);
  let worst = { apartM: 0, position: [] as number[] };
  for (let i = 0; i < postures; i++) {
    const position = spec.joints.map(({ range }) => random.uniform(...range));
    place(world, places, position);
    world.placed();
    fingertip(spec, position, expected);
    const apartM = Math.hypot(...expected.map((part, axis) => part - world.views.siteXpos[3 * site + axis]!));
    if (!(apartM <= worst.apartM)) worst = { apartM, position };
  }
  const passed = worst.apartM <= fingertipToleranceM;
  return {
    name: "fingertip where MuJoCo's is",
    passed,
    detail: passed
      ? `to ${Math.ceil(worst.apartM * 1e6)} µm in ${postures} postures`
      : `${(worst.apartM * 1000).toFixed(2)} mm apart at ${worst.position.map(degrees).join(', ')}: frames in robot.json and bodies in the scene differ`,
  };
}

/** Goals of the tasks, and where they lie. */
export function goalsCheck({ spec }: LoadedRobot): RobotCheck {
  const name = 'goals can be drawn';
  try {
    const drawn = heldOutGoals(spec, reach, goals);
    const span = (axis: number) => {
      const values = drawn.map(goal => 1000 * goal[axis]!);
      return `${Math.min(...values).toFixed(0)} … ${Math.max(...values).toFixed(0)}`;
    };
    const unable = [hold, track].filter(task => !hasGoals(spec, task)).map(task => task.name);
    const but = unable.length > 0 ? `; not for ${unable.join(', ')}` : '';
    return { name, passed: true, detail: `x ${span(0)}, y ${span(1)}, z ${span(2)} mm${but}` };
  } catch (error) {
    if (error instanceof KitError) return { name, passed: false, detail: `${error.message}: ${error.hint}` };
    throw error;
  }
}

function hasGoals(spec: RobotSpec, task: Task): boolean {
  try {
    heldOutGoals(spec, task, 1);
    return true;
  } catch (error) {
    if (error instanceof KitError && error.code === 'E_TASK_ROBOT') return false;
    throw error;
  }
}

/** Whether each servo holds its joint against gravity, in postures of the workspace. */
export function strengthCheck({ spec }: LoadedRobot, world: MujocoWorld): RobotCheck {
  const name = 'servos hold the arm';
  const random = new Random(1);
  const places = jointPlaces(spec, world);
  const position = new Float64Array(spec.joints.length);
  const { dof_frictionloss, actuator_forcerange } = world.model;
  const needed = spec.joints.map((joint, j) => {
    // Without a limit it is 0.
    const limit: number = actuator_forcerange[2 * world.id('actuator', joint.name) + 1] || Number.POSITIVE_INFINITY;
    return { name: joint.name, canNm: limit - dof_frictionloss[places.dof[j]!], needsNm: 0, at: [] as number[] };
  });
  try {
    for (let i = 0; i < postures; i++) {
      samplePosture(spec, random, 0, position);
      place(world, places, position);
      world.forward();
      const { qfrcBias } = world.views;
      for (const [j, one] of needed.entries()) {
        const torqueNm = Math.abs(qfrcBias[places.dof[j]!]!);
        if (torqueNm > one.needsNm) Object.assign(one, { needsNm: torqueNm, at: [...position] });
      }
    }
  } catch (error) {
    if (error instanceof KitError && error.code === 'E_WORKSPACE_EMPTY')
      return { name, passed: false, detail: error.message };
    throw error;
  }
  const weak = needed.filter(({ needsNm, canNm }) => needsNm > canNm);
  const hardest = needed.reduce((worst, one) => (one.needsNm / one.canNm > worst.needsNm / worst.canNm ? one : worst));
  const words = ({ name: joint, needsNm, canNm }: (typeof needed)[number]) =>
    `${joint} needs up to ${needsNm.toFixed(2)} of ${canNm.toFixed(2)} N·m`;
  return {
    name,
    passed: weak.length === 0,
    detail:
      weak.length > 0
        ? `too weak: ${weak.map(one => `${words(one)} (at ${one.at.map(degrees).join(', ')})`).join('; ')}`
        : `${postures} postures; ${words(hardest)}`,
  };
}
