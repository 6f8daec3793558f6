/** `robot.json` and `site.json` of a planned arm. What nobody was asked about is as the shipped arms have it. */
import { relative } from 'node:path';
import { parseJson } from '@sim2servo/models/json-file';
import { insideWorkspace } from '@sim2servo/models/kinematics';
import { Random } from '@sim2servo/models/random';
import { type RobotSpec, robotSpecSchema } from '@sim2servo/models/robot-spec';
import { countsPerTurn, type HobbyServo, type Servo, type Site, siteSchema } from '@sim2servo/models/site';
import { degrees } from '../checks/robot-check.js';
import { servoModels } from '../servo-models.js';
import { type ArmPlan, chainOf, isVertical, type PlannedJoint, refusedArm } from './arm-plan.js';

export const sceneFile = 'scene.xml';

/** A servo without load turns faster than an arm's joint ever should: the rest is for the load. */
const speedShare = 0.55;
const maxSpeedRadPerS = 3;
/** A hobby servo's usual half turn: its pulses, and what its potentiometer shows there. */
const hobby = { pulseUs: [600, 2400], counts: [90, 934], turnRad: Math.PI } as const;
const radPerCount = (2 * Math.PI) / countsPerTurn;
/** Where fewer of an arm's postures than this lie above the floor and off the column, it is no arm that stands on a desk. */
const leastInside = 0.05;
const probes = 2000;

const rounded = (value: number, digits: number) => Number(value.toFixed(digits)) + 0;

function frames(plan: ArmPlan) {
  const chain = chainOf(plan);
  const turned = chain.map((j, i) => {
    const { name, axis, originM, link } = plan.joints[j]!;
    const parent = i === 0 ? {} : { parent: plan.joints[chain[i - 1]!]!.link.name };
    return { name: link.name, ...parent, joint: name, axis: [...axis], translationM: [...originM] };
  });
  const hand = plan.joints[plan.fingertip.parent]!.link.name;
  return [...turned, { name: 'fingertip', parent: hand, translationM: [...plan.fingertip.offsetM] }];
}

function jointOf({ name, rangeRad, homeRad, servo }: PlannedJoint) {
  const fastest = Math.min(maxSpeedRadPerS, speedShare * servoModels[servo].noLoadRadPerS);
  return {
    name,
    unit: 'rad',
    range: rangeRad,
    maxVelocity: rounded(fastest, 1),
    maxAcceleration: 40,
    home: rounded(homeRad, 6),
  };
}

/** As far ahead of a joint as its servo needs to pull with all its might. */
function lead(joints: readonly PlannedJoint[]): number {
  const needed = joints.map(({ servo }) => servoModels[servo].stallNm / servoModels[servo].stiffnessNmPerRad);
  return Math.max(0.3, rounded(Math.max(...needed), 1));
}

function checkedSpec(json: object): RobotSpec {
  return parseJson(JSON.stringify(json), robotSpecSchema, 'the robot that follows from that');
}

/** @throws KitError E_ARM_ANSWERS, E_FILE_SCHEMA */
export function robotJsonOf(plan: ArmPlan): { readonly json: object; readonly notes: readonly string[] } {
  const chain = chainOf(plan);
  if (chain.length === 0)
    throw refusedArm('no joint moves the fingertip', 'name a fingertip that lies beyond the last joint');
  const chained = frames(plan);
  const reachM = chained.slice(1).reduce((sum, { translationM }) => sum + Math.hypot(...translationM), 0);
  if (!(reachM > 0))
    throw refusedArm('the fingertip lies on the axis of the first joint', 'give the lengths of its links');
  const widths = plan.joints.map(({ rangeRad: [low, high] }) => high - low);
  const json = {
    format: 'sim2servo/robot@1',
    name: plan.name,
    joints: plan.joints.map(jointOf),
    frames: chained,
    reachM: Math.ceil(reachM * 100) / 100,
    observation: ['position', 'velocity', 'lag', 'goal', 'goalErrorTurned', 'goalErrorTurnedFine', 'actions'],
    actionHistory: plan.bus === 'kitlink' ? 3 : 2,
    action: { kind: 'velocity', scale: 1 },
    safety: {
      armingRampS: 1,
      softLimit: rounded(Math.min(0.08, ...widths.map(width => width / 4)), 4),
      lead: lead(plan.joints),
      nonFiniteTicks: 5,
      staleTicks: 5,
    },
    scene: sceneFile,
  };
  checkedSpec(json);
  if (chain.every(j => isVertical(plan.joints[j]!.axis))) return { json, notes: [] };
  const workspace = {
    floorM: rounded(Math.min(0.015, plan.joints[chain[0]!]!.originM[2]), 6),
    columnM: Math.floor((json.reachM / 6) * 100) / 100,
  };
  const inside = { ...json, workspace };
  if (shareInside(checkedSpec(inside)) >= leastInside) return { json: inside, notes: [] };
  return {
    json,
    notes: [
      `hardly any posture lies above ${workspace.floorM} m and ${workspace.columnM} m off the base, so robot.json has no workspace: goals may lie anywhere`,
    ],
  };
}

function shareInside(spec: RobotSpec): number {
  const random = new Random(1);
  let inside = 0;
  for (let i = 0; i < probes; i++)
    if (
      insideWorkspace(
        spec,
        spec.joints.map(({ range }) => random.uniform(...range)),
      )
    )
      inside++;
  return inside / probes;
}

function tooWide({ name, rangeRad: [low, high], servo }: PlannedJoint, turnRad: number): Error {
  // A model's whole turn is a count more than a servo has.
  const exact = (rad: number) => `${((rad * 180) / Math.PI).toFixed(1)}°`;
  const narrow = turnRad / 2 - 0.15;
  return refusedArm(
    `joint '${name}' goes from ${degrees(low)} to ${degrees(high)}, ${exact(high - low)} in all, and a ${servo} turns ${exact(turnRad)}`,
    `narrow it, as to ${degrees(-narrow)} … ${degrees(narrow)} (--from: --range ${name}=LOW..HIGH)`,
  );
}

/** 0 rad in the middle of the servo's turn where the range allows, else the range's middle there. */
function servoOf(joint: PlannedJoint): Servo {
  const { name, rangeRad, servo, id } = joint;
  const [low, high] = rangeRad;
  const middle = (low + high) / 2;
  if (servo === 'mg996r') {
    const { pulseUs, counts, turnRad } = hobby;
    if (high - low > turnRad) throw tooWide(joint, turnRad);
    const zero = Math.max(-low, high) <= turnRad / 2 ? 0 : middle;
    const angleRad: HobbyServo['angleRad'] = [zero - turnRad / 2, zero + turnRad / 2];
    return {
      kind: 'hobby-pwm',
      joint: name,
      id,
      pulseUs: [...pulseUs],
      angleRad,
      feedback: { counts: [...counts] },
      offsetRad: 0,
    };
  }
  const last = countsPerTurn - 1;
  const half = countsPerTurn / 2;
  if (high - low > last * radPerCount) throw tooWide(joint, last * radPerCount);
  const fits = (zero: number) => zero + low / radPerCount >= -0.5 && zero + high / radPerCount <= last + 0.5;
  const zeroCount = fits(half) ? half : Math.round(last / 2 - middle / radPerCount);
  if (zeroCount < 0 || zeroCount > last)
    throw refusedArm(
      `joint '${name}' goes from ${degrees(low)} to ${degrees(high)}, and 0° is half a turn or more away from the middle of that`,
      'measure its angles from another zero',
    );
  const counted = { joint: name, id, zeroCount, direction: 1 as const };
  return servo === 'sts3215'
    ? { kind: 'feetech', model: servo, ...counted }
    : { kind: 'dynamixel', model: servo, ...counted };
}

/** @throws KitError E_ARM_ANSWERS, E_FILE_SCHEMA */
export function siteOf(plan: ArmPlan): Site {
  const site = { format: 'sim2servo/site@1', bus: { kind: plan.bus }, servos: plan.joints.map(servoOf) };
  return parseJson(JSON.stringify(site), siteSchema, 'the site that follows from that');
}

/** Text of a JSON file that lies in `folder`, with its schema for editors. Lists of plain values take one line. */
export function jsonText(value: object, folder: string, schemaPath: string): string {
  const text = JSON.stringify({ $schema: relative(folder, schemaPath), ...value }, null, 2);
  return `${text.replace(/\[\s+([^[\]{}]+?)\s+\]/g, (_, list: string) => `[${list.replace(/\s*\n\s*/g, ' ')}]`)}\n`;
}
