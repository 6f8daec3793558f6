/** A plan from what a person says of an arm, and what answers mean for any plan. */
import {
  axes,
  type FullArmAnswers,
  type OwnBus,
  type ServoAnswers,
  type ServoModelName,
} from '@sim2servo/models/arm-answers';
import { servoModels, servosOn } from '../servo-models.js';
import {
  type ArmPlan,
  type PlannedGeom,
  type PlannedJoint,
  refusedArm,
  robotName,
  rod,
  type Vector,
} from './arm-plan.js';

/** Of a load that nobody says anything of. */
export const usualLoadKg = 0.02;

const rad = (degrees: number) => Math.round((degrees * Math.PI * 1e6) / 180) / 1e6;

/** 0, or the middle of a range that 0 is not well inside of. */
export function restOf([low, high]: readonly [number, number], homeDeg: number | undefined): number {
  if (homeDeg !== undefined) return rad(homeDeg);
  const inside = (high - low) / 10;
  return low + inside <= 0 && high - inside >= 0 ? 0 : (low + high) / 2;
}

/** Model and id of the servos of an arm, in the order of its joints. @throws KitError E_ARM_ANSWERS */
export function chosenServos(
  bus: OwnBus,
  usual: ServoModelName | undefined,
  joints: readonly ({ readonly name: string } & ServoAnswers)[],
): { readonly servo: ServoModelName; readonly id: number }[] {
  const known = servosOn(bus);
  return joints.map(({ name, servo = usual ?? known[0]!, id }, i) => {
    if (!known.includes(servo))
      throw refusedArm(
        `joint '${name}' has a ${servo}, which does not hang on a ${bus} bus`,
        `take one of: ${known.join(', ')}`,
      );
    return { servo, id: id ?? (bus === 'kitlink' ? i : i + 1) };
  });
}

/** A `[low, high]` in degrees as rad. @throws KitError E_ARM_ANSWERS */
export function rangeRad(name: string, [low, high]: readonly [number, number]): readonly [number, number] {
  if (low < high) return [rad(low), rad(high)];
  throw refusedArm(`joint '${name}' goes from ${low}° to ${high}°`, 'give the lower end first');
}

/** @throws KitError E_ARM_ANSWERS */
export function planOfAnswers(
  answers: FullArmAnswers,
  { name, bus }: { readonly name: string; readonly bus: OwnBus },
): ArmPlan {
  const { joints, gripper } = answers;
  const all = [...joints, ...(gripper === undefined ? [] : [gripper])];
  const servos = chosenServos(bus, answers.servo, all);
  const metres = (mm: readonly [number, number, number]): Vector => [mm[0] / 1000, mm[1] / 1000, mm[2] / 1000];
  const last = joints.length - 1;
  const hand = metres(joints[last]!.offsetMm);
  const at = (share: number): Vector => [share * hand[0], share * hand[1], share * hand[2]];

  const planned = joints.map((answer, j): PlannedJoint => {
    const offset = metres(answer.offsetMm);
    const jointName = robotName(answer.name, 'joint');
    const range = rangeRad(answer.name, answer.rangeDeg);
    const carried: PlannedGeom[] =
      j < last ? [servoBox(servos[j + 1]!.servo, offset)] : gripper ? [servoBox(servos[last + 1]!.servo, at(0.2))] : [];
    const carriedKg = carried.length > 0 ? servoModels[servos[j + 1]!.servo].massKg : 0;
    const linkKg = answer.linkG === undefined ? undefined : Math.max(0.001, answer.linkG / 1000 - carriedKg);
    return {
      name: jointName,
      parent: j - 1,
      axis: axes[answer.axis],
      originM: j === 0 ? metres(answers.baseMm) : metres(joints[j - 1]!.offsetMm),
      rangeRad: range,
      homeRad: restOf(range, answer.homeDeg),
      ...servos[j]!,
      link: { name: `${jointName}-link`, geoms: [rod(`${jointName}-rod`, offset, linkKg), ...carried] },
    };
  });
  if (gripper !== undefined) {
    const jointName = robotName(gripper.name, 'joint');
    const range = rangeRad(gripper.name, gripper.rangeDeg);
    planned.push({
      name: jointName,
      parent: last,
      axis: axes[gripper.axis],
      originM: at(0.3),
      rangeRad: range,
      homeRad: restOf(range, gripper.homeDeg),
      ...servos[last + 1]!,
      link: { name: `${jointName}-jaw`, geoms: [rod(`${jointName}-rod`, at(0.6))] },
    });
  }
  return {
    name,
    source: 'answers',
    bus,
    joints: planned,
    fingertip: { parent: last, offsetM: hand },
    baseGeoms: base(metres(answers.baseMm), servos[0]!.servo),
    loadKg: answers.loadG === undefined ? usualLoadKg : answers.loadG / 1000,
    notes: [],
  };
}

/** Without its size and mass: those are of its class in the scene. */
function servoBox(servo: ServoModelName, pos: Vector): PlannedGeom {
  return { class: servo, type: 'box', pos };
}

function base(top: Vector, servo: ServoModelName): PlannedGeom[] {
  const [x, y, z] = top;
  const column: PlannedGeom = { name: 'base', type: 'cylinder', size: [0.03, z / 2], pos: [x, y, z / 2] };
  return z > 0.01 ? [column, servoBox(servo, top)] : [servoBox(servo, top)];
}
