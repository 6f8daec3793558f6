/** What `kit init` asks a person, where flags and files have left something open. */
import {
  type ArmAnswers,
  type ArmDraft,
  type OwnBus,
  ownBuses,
  type ServoModelName,
} from '@sim2servo/models/arm-answers';
import { KitError } from '@sim2servo/models/error';
import { servosOn } from '@sim2servo/sim/servo-models';
import { axisOf, fingertipOf, type GripperAnswer, type JointAnswer, offsetOf, rangeOf } from './arm-flags.js';
import type { CommandContext } from './command-context.js';

/**
 * Asks until the answer can be read; an empty one is `usual`.
 *
 * @throws KitError E_ARM_UNSAID where nobody can be asked
 */
async function asked<Answer>(
  context: CommandContext,
  question: string,
  usual: string | undefined,
  unsaid: { readonly what: string; readonly flag: string },
  read: (text: string) => Answer,
): Promise<Answer> {
  for (;;) {
    const line = await context.io.line(usual ? `${question} [${usual}] ` : `${question} `, context.signal);
    if (line === undefined)
      throw new KitError(
        'E_ARM_UNSAID',
        `nobody said ${unsaid.what}`,
        `add ${unsaid.flag}, or run it on a terminal`,
        'usage',
      );
    try {
      return read(line === '' && usual !== undefined ? usual : line);
    } catch (error) {
      if (!(error instanceof KitError)) throw error;
      context.io.err(`${error.message}: ${error.hint}`);
    }
  }
}

function oneOf<Choice extends string>(choices: readonly Choice[]): (text: string) => Choice {
  return text => {
    const found = choices.find(choice => choice === text);
    if (found !== undefined) return found;
    throw new KitError('E_ARM_WORDS', `'${text}' is not among them`, `take one of ${choices.join(', ')}`, 'usage');
  };
}

export function askBus(context: CommandContext): Promise<OwnBus> {
  const unsaid = { what: 'which bus the servos hang on', flag: `--bus ${ownBuses.join('|')}` };
  return asked(context, `Bus (${ownBuses.join(', ')})`, 'feetech', unsaid, oneOf(ownBuses));
}

/** A bus with one model of servo needs no question. */
export async function askServo(context: CommandContext, bus: OwnBus): Promise<ServoModelName> {
  const models = servosOn(bus);
  if (models.length === 1) return models[0]!;
  const unsaid = { what: 'which servos they are', flag: `--servo ${models.join('|')}` };
  return asked(context, `Servos (${models.join(', ')})`, models[0], unsaid, oneOf(models));
}

/** @param places of the model that can be one, the likely ones first */
export function askFingertip(
  context: CommandContext,
  places: readonly string[],
): Promise<ReturnType<typeof fingertipOf>> {
  const unsaid = {
    what: 'which place of the model is the fingertip',
    flag: `--fingertip ${places.slice(0, 8).join('|')}`,
  };
  return asked(
    context,
    `Fingertip (${places.join(', ')}; or so far from one, as NAME:x,y,z in mm)`,
    undefined,
    unsaid,
    text => {
      const said = fingertipOf(text);
      oneOf(places)(said.fingertip);
      return said;
    },
  );
}

const noJoint = { what: 'which joints the arm has', flag: '--joint, --answers FILE or --from FILE' };

/** The joints from the base on, until a name stays empty. */
export async function askJoints(
  context: CommandContext,
  draft: ArmDraft,
): Promise<Pick<ArmAnswers, 'baseMm' | 'joints' | 'gripper'>> {
  const text = (line: string) => line;
  const joints: JointAnswer[] = [];
  const baseMm =
    draft.baseMm ?? (await asked(context, 'First axis above the desk, x,y,z in mm', '0,0,60', noJoint, offsetOf));
  context.io.err('Joints from the base on, with the arm at the posture that shall be 0: x ahead, y to the left, z up.');
  for (;;) {
    const number = joints.length + 1;
    const name = await asked(
      context,
      `Joint ${number}: name${number > 1 ? ', or nothing: that was the last' : ''}`,
      '',
      noJoint,
      text,
    );
    if (name === '' && number > 1) break;
    if (name === '') continue;
    const axis = await asked(context, '  axis (x, y, z, -x, -y, -z)', number === 1 ? 'z' : 'y', noJoint, axisOf);
    const rangeDeg = await asked(context, '  range in degrees', '-90..90', noJoint, rangeOf);
    const offsetMm = await asked(
      context,
      '  to the next axis or the fingertip, x,y,z in mm',
      undefined,
      noJoint,
      offsetOf,
    );
    joints.push({ name, axis, rangeDeg, offsetMm });
  }
  const gripper = await askGripper(context, text);
  return { baseMm, joints, ...(gripper && { gripper }) };
}

async function askGripper(context: CommandContext, text: (line: string) => string): Promise<GripperAnswer | undefined> {
  const name = await asked(context, 'Gripper servo: name, or nothing: it has none', '', noJoint, text);
  if (name === '') return undefined;
  const axis = await asked(context, '  axis (x, y, z, -x, -y, -z)', 'z', noJoint, axisOf);
  return { name, axis, rangeDeg: await asked(context, '  range in degrees', '0..90', noJoint, rangeOf) };
}
