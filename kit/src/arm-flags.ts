/** An arm in the words of a command line: `shoulder:y:-90..90:120,0,0` is a joint. The same words are typed when `kit init` asks. */

import type { ArmAnswers, ModelAnswers, ServoModelName } from '@sim2servo/models/arm-answers';
import { KitError } from '@sim2servo/models/error';

export type JointAnswer = ArmAnswers['joints'][number];
export type GripperAnswer = NonNullable<ArmAnswers['gripper']>;

function misread(text: string, wanted: string): KitError {
  return new KitError('E_ARM_WORDS', `'${text}' can't be read`, `write ${wanted}`, 'usage');
}

function number(text: string | undefined, whole: string, wanted: string): number {
  const value = Number(text);
  if (text === undefined || text.trim() === '' || !Number.isFinite(value)) throw misread(whole, wanted);
  return value;
}

/** `-90..90` */
export function rangeOf(text: string): [number, number] {
  const wanted = 'a range in degrees, such as -90..90';
  const [low, high, ...rest] = text.split('..');
  if (rest.length > 0) throw misread(text, wanted);
  return [number(low, text, wanted), number(high, text, wanted)];
}

/** `120,0,0` */
export function offsetOf(text: string): [number, number, number] {
  const wanted = 'an offset x,y,z in mm, such as 120,0,0';
  const parts = text.split(',');
  if (parts.length !== 3) throw misread(text, wanted);
  const [x, y, z] = parts.map(part => number(part, text, wanted));
  return [x!, y!, z!];
}

export function axisOf(text: string): JointAnswer['axis'] {
  const found = (['x', 'y', 'z', '-x', '-y', '-z'] as const).find(axis => axis === text.trim());
  if (found === undefined) throw misread(text, 'an axis: x, y, z, -x, -y or -z');
  return found;
}

/** `name:axis:low..high:x,y,z[:home]` */
export function jointOf(text: string): JointAnswer {
  const parts = text.split(':');
  const wanted =
    'a joint name:axis:low..high:x,y,z, such as shoulder:y:-90..90:0,0,120 (degrees, mm), with :home after it where it is not 0';
  if (parts.length < 4 || parts.length > 5) throw misread(text, wanted);
  const [name, axis, range, offset, home] = parts as [string, string, string, string, string?];
  return {
    name,
    axis: axisOf(axis),
    rangeDeg: rangeOf(range),
    offsetMm: offsetOf(offset),
    ...(home !== undefined && { homeDeg: number(home, text, wanted) }),
  };
}

/** `[name:]axis:low..high` */
export function gripperOf(text: string): GripperAnswer {
  const parts = text.split(':');
  if (parts.length < 2 || parts.length > 3)
    throw misread(text, 'a gripper name:axis:low..high, such as gripper:y:-10..90');
  const [axis, range] = parts.slice(-2) as [string, string];
  return { ...(parts.length === 3 && { name: parts[0]! }), axis: axisOf(axis), rangeDeg: rangeOf(range) };
}

/** `NAME[:x,y,z]` */
export function fingertipOf(text: string): { fingertip: string; fingertipMm?: [number, number, number] } {
  const [, name, offset] = /^(.+?)(?::([^:]*,[^:]*))?$/.exec(text) ?? [];
  if (name === undefined)
    throw misread(text, 'a site or body of the model, such as hand, or hand:80,0,0 (mm from there)');
  return { fingertip: name, ...(offset !== undefined && { fingertipMm: offsetOf(offset) }) };
}

/** `JOINT=VALUE` */
function pairOf(text: string, wanted: string): [string, string] {
  const at = text.lastIndexOf('=');
  if (at <= 0 || at === text.length - 1) throw misread(text, wanted);
  return [text.slice(0, at), text.slice(at + 1)];
}

type Said = { readonly name?: string | undefined };

/** One entry for each joint that something was said of. */
function joined<Joint extends Said>(joints: readonly Joint[], name: string, more: Partial<Joint>): Joint[] {
  if (!joints.some(joint => joint.name === name)) return [...joints, { name, ...more } as Joint];
  return joints.map(joint => (joint.name === name ? { ...joint, ...more } : joint));
}

/** `--servo MODEL` for all, `--servo JOINT=MODEL` for one. Whether there are such a joint and such a model is for the answers' schema. */
export function servoWords(words: readonly string[]): {
  readonly usual?: ServoModelName;
  readonly of: readonly (readonly [string, ServoModelName])[];
} {
  const usual = words.filter(word => !word.includes('='));
  if (usual.length > 1)
    throw misread(usual.join(' and '), 'one servo model for all; another one for a joint is JOINT=MODEL');
  return {
    ...(usual.length > 0 && { usual: usual[0] as ServoModelName }),
    of: words
      .filter(word => word.includes('='))
      .map(word => pairOf(word, 'a servo JOINT=MODEL') as [string, ServoModelName]),
  };
}

/** What flags say of a model's joints, over what a file says. */
export function modelJoints(
  joints: NonNullable<ModelAnswers['joints']>,
  servos: readonly (readonly [string, ServoModelName])[],
  ranges: readonly string[],
): NonNullable<ModelAnswers['joints']> {
  let all = [...joints];
  for (const [name, servo] of servos) all = joined(all, name, { servo });
  for (const word of ranges) {
    const [name, range] = pairOf(word, 'a range JOINT=LOW..HIGH in degrees, such as wrist=-170..170');
    all = joined(all, name, { rangeDeg: rangeOf(range) });
  }
  return all;
}
