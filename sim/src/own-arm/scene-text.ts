/** The MJCF scene of a planned arm: links of primitives, servos with their data sheets' figures, a desk, a load and a goal. */
import type { ServoModelName } from '@sim2servo/models/arm-answers';
import { servoModels } from '../servo-models.js';
import { type ArmPlan, mayTouchDesk, type PlannedGeom, type PlannedLink } from './arm-plan.js';

/** A joint's mechanical stops lie this far outside its range. */
const stopRad = 0.035;

type Attributes = Readonly<Record<string, string | number | readonly number[] | undefined>>;

/** Enough digits that a model read back is the same, and no −0. */
function text(value: string | number | readonly number[]): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(Number(value.toPrecision(12)) + 0) : value.map(text).join(' ');
}

function tag(name: string, attributes: Attributes): string {
  const parts = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined
      ? []
      : [` ${key}="${text(value).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;')}"`],
  );
  return `<${name}${parts.join('')}`;
}

const leaf = (name: string, attributes: Attributes) => `${tag(name, attributes)}/>`;

/** One number where all joints have the same. */
function custom(name: string, values: readonly number[]): string {
  return leaf('numeric', { name, data: new Set(values).size === 1 ? values[0] : values });
}

function servoClass(name: ServoModelName): string[] {
  const servo = servoModels[name];
  const forceNm = servo.stallNm + servo.frictionNm;
  return [
    `    <!-- ${servo.sheet} -->`,
    `    <default class="${name}">`,
    `      ${leaf('joint', { damping: Number(servo.dampingNmSPerRad.toPrecision(4)), armature: servo.armatureKgM2, frictionloss: servo.frictionNm })}`,
    `      ${leaf('position', { kp: servo.stiffnessNmPerRad, kv: servo.kvNmSPerRad, forcerange: [-forceNm, forceNm] })}`,
    `      ${leaf('geom', { type: 'box', size: servo.halfSizeM, mass: servo.massKg, conaffinity: 0, rgba: '0.13 0.13 0.15 1' })}`,
    '    </default>',
  ];
}

function geoms(list: readonly PlannedGeom[], touchesDesk: boolean, indent: string): string[] {
  return list.map(geom => `${indent}${leaf('geom', touchesDesk ? geom : { ...geom, conaffinity: 0 })}`);
}

function inertial({ inertial: given }: PlannedLink, indent: string): string[] {
  if (given === undefined) return [];
  const { massKg, comM, inertia } = given;
  return [`${indent}${leaf('inertial', { pos: comM, mass: massKg, fullinertia: inertia })}`];
}

function fingertip({ fingertip: { offsetM }, loadKg }: ArmPlan, indent: string): string[] {
  return [
    `${indent}${tag('body', { name: 'payload', pos: offsetM })}>`,
    `${indent}  ${leaf('geom', { name: 'load', type: 'sphere', size: 0.006, mass: loadKg, rgba: '0.1 0.35 0.8 1' })}`,
    `${indent}  ${leaf('site', { name: 'fingertip', size: 0.003, rgba: '1 1 1 1' })}`,
    `${indent}</body>`,
  ];
}

function bodies(plan: ArmPlan, parent: number, indent: string): string[] {
  return plan.joints.flatMap((joint, j) => {
    if (joint.parent !== parent) return [];
    const { name, axis, originM, rangeRad, servo, link } = joint;
    const inner = `${indent}  `;
    const stops = [rangeRad[0] - stopRad, rangeRad[1] + stopRad];
    return [
      `${indent}${tag('body', { name: link.name, pos: originM })}>`,
      `${inner}${leaf('joint', { name, class: servo, axis, range: stops })}`,
      ...inertial(link, inner),
      ...geoms(link.geoms, mayTouchDesk(plan.joints, j), inner),
      ...(plan.fingertip.parent === j ? fingertip(plan, inner) : []),
      ...bodies(plan, j, inner),
      `${indent}</body>`,
    ];
  });
}

export function sceneText(plan: ArmPlan): string {
  const { joints, name, source } = plan;
  const models = [...new Set(joints.map(({ servo }) => servo))];
  const each = (figure: (servo: (typeof servoModels)[ServoModelName]) => number) =>
    joints.map(({ servo }) => Number(figure(servoModels[servo]).toPrecision(4)));
  return `${[
    tag('mujoco', { model: name }).concat('>'),
    `  <!-- Written by kit init from ${source.replace(/--+/g, '-')}. Change it as you like: kit check says whether it still fits robot.json. -->`,
    '  <compiler angle="radian" autolimits="true"/>',
    '  <option timestep="0.002" integrator="implicitfast" gravity="0 0 -9.81"/>',
    '  <custom>',
    `    ${custom(
      'servo_speed_rad_s',
      each(servo => servo.noLoadRadPerS),
    )}`,
    `    ${custom('servo_delay_s', [Math.max(...each(servo => servo.delayS))])}`,
    `    ${custom(
      'backlash_rad',
      each(servo => servo.backlashRad),
    )}`,
    `    ${custom(
      'feedback_noise_counts',
      each(servo => servo.noiseCounts),
    )}`,
    '  </custom>',
    '  <default>',
    '    <geom contype="0" conaffinity="1" rgba="0.95 0.78 0.2 1"/>',
    ...models.flatMap(servoClass),
    '  </default>',
    '  <visual>',
    '    <headlight ambient="0.4 0.4 0.4" diffuse="0.6 0.6 0.6"/>',
    '  </visual>',
    '  <worldbody>',
    '    <light pos="0.1 0 1" dir="0 0 -1"/>',
    '    <geom name="desk" type="plane" friction="0.3" size="0.6 0.6 0.01" contype="1" conaffinity="0" rgba="0.92 0.92 0.9 1"/>',
    ...geoms(plan.baseGeoms, false, '    '),
    ...bodies(plan, -1, '    '),
    '    <body name="goal" mocap="true" pos="0.2 0 0.15">',
    '      <geom name="goal" type="sphere" size="0.01" rgba="0.1 0.7 0.25 0.5" mass="0" conaffinity="0"/>',
    '    </body>',
    '  </worldbody>',
    '  <actuator>',
    ...joints.map(({ name: joint, servo }) => `    ${leaf('position', { name: joint, class: servo, joint })}`),
    '  </actuator>',
    '</mujoco>',
  ].join('\n')}\n`;
}
