/** `kit init`: a robot folder for one's own arm, from answers or from a URDF or MJCF file, checked in simulation. */
import { basename, resolve } from 'node:path';
import {
  type ArmAnswers,
  type ArmDraft,
  armAnswersSchema,
  armDraftSchema,
  type ModelAnswers,
  modelAnswersSchema,
  type OwnBus,
  ownBuses,
} from '@sim2servo/models/arm-answers';
import { KitError } from '@sim2servo/models/error';
import { parseJson, readJsonFile } from '@sim2servo/models/json-file';
import { checkRobotTarget } from '@sim2servo/models/write-robot-folder';
import { planOfAnswers } from '@sim2servo/sim/own-arm/answers';
import { type ArmPlan, robotName } from '@sim2servo/sim/own-arm/arm-plan';
import { readModelFile } from '@sim2servo/sim/own-arm/model-file';
import { fingertipsOf, planOfModel } from '@sim2servo/sim/own-arm/plan-of-model';
import { writeArm } from '@sim2servo/sim/own-arm/write-arm';
import { Option } from 'commander';
import { fingertipOf, gripperOf, jointOf, modelJoints, offsetOf, servoWords } from '../arm-flags.js';
import type { AddCommand, CommandContext } from '../command-context.js';
import { askBus, askFingertip, askJoints, askServo } from '../init-questions.js';
import { positiveNumber } from '../number-option.js';
import { reportRobot } from '../robot-checks.js';

interface InitFlags {
  readonly from?: string;
  readonly answers?: string;
  readonly name?: string;
  readonly bus?: OwnBus;
  readonly servo: readonly string[];
  readonly load?: number;
  readonly base?: string;
  readonly joint: readonly string[];
  readonly gripper?: string;
  readonly fingertip?: string;
  readonly fixed: readonly string[];
  readonly range: readonly string[];
}

const collected = (word: string, earlier: readonly string[]) => [...earlier, word];

export const addInit: AddCommand = (program, context) => {
  program
    .command('init')
    .description("write a robot folder for an arm of one's own, and check it")
    .argument('<folder>', 'new folder')
    .option('--from <file>', 'URDF or MJCF file of the arm')
    .option('--answers <file>', 'JSON file with what would be asked (docs/robots.md)')
    .option('--name <name>', 'of the robot (default: what the folder is called)')
    .addOption(new Option('--bus <kind>', 'what the servos hang on').choices(ownBuses))
    .option('--servo <model>', 'model of the servos, and JOINT=MODEL where one is another', collected, [])
    .option('--load <g>', 'at the fingertip, in grams (default: 20)', positiveNumber)
    .option('--base <x,y,z>', "of the first joint's axis above the desk, mm (default: 0,0,60)")
    .option(
      '--joint <joint>',
      'name:axis:low..high:x,y,z[:home], degrees and mm; once for each, from the base on',
      collected,
      [],
    )
    .option('--gripper <joint>', 'name:axis:low..high')
    .option(
      '--fingertip <name>',
      'with --from: site or body, or so far from one, NAME:x,y,z in mm (default: fingertip)',
    )
    .option('--fixed <joint>', 'with --from: a joint without a servo, which stays at 0; once for each', collected, [])
    .option('--range <range>', 'with --from: JOINT=LOW..HIGH in degrees; once for each', collected, [])
    .addHelpText(
      'after',
      `
Examples:
  kit init my-arm                                       (asks)
  kit init my-arm --bus feetech --joint pan:z:-100..100:0,0,50 --joint lift:y:-90..90:0,0,110 --joint elbow:y:0..130:100,0,0
  kit init my-arm --from arm.urdf --bus dynamixel --servo xl330-m288 --fingertip gripper_link
  kit check my-arm                                      (again, after changing something)`,
    )
    .action(async (folder: string, flags: InitFlags) => {
      checkRobotTarget(folder);
      const plan = await (flags.from === undefined
        ? planFromAnswers(folder, flags, context)
        : planFromModel(folder, flags, flags.from, context));
      const { robot, notes } = await writeArm(folder, plan);
      const { spec } = robot;
      await reportRobot(context, robot, {
        notes,
        headline: `${spec.name} is in ${robot.folder}: ${spec.joints.length} joints on ${plan.bus}`,
      });
    });
};

function refuseFlags(flags: InitFlags, names: readonly (keyof InitFlags)[], why: string): void {
  const given = names.filter(name => [flags[name] ?? []].flat().length > 0);
  if (given.length > 0)
    throw new KitError(
      'E_INIT_FLAGS',
      `--${given[0]} ${why}`,
      `leave --${given[0]} out, or see kit init --help`,
      'usage',
    );
}

function nameOf(folder: string, said: string | undefined): string {
  return robotName(said ?? basename(resolve(folder)), 'robot');
}

/** What is there where something was said, and nothing where it was not. */
function said<Flags extends object>(flags: Flags): Partial<Flags> {
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined)) as Partial<Flags>;
}

async function planFromAnswers(folder: string, flags: InitFlags, context: CommandContext): Promise<ArmPlan> {
  refuseFlags(flags, ['fingertip', 'fixed', 'range'], 'is for a model, and there is no --from');
  const words = servoWords(flags.servo);
  const file: ArmDraft = flags.answers === undefined ? {} : readJsonFile(flags.answers, armDraftSchema, 'answers');
  const draft: ArmDraft = {
    ...file,
    ...said({
      name: flags.name,
      bus: flags.bus,
      servo: words.usual,
      loadG: flags.load,
      baseMm: flags.base === undefined ? undefined : offsetOf(flags.base),
      joints: flags.joint.length > 0 ? flags.joint.map(jointOf) : undefined,
      gripper: flags.gripper === undefined ? undefined : gripperOf(flags.gripper),
    }),
  };
  const bus = draft.bus ?? (await askBus(context));
  const isAsked = draft.joints === undefined;
  const servo = draft.servo ?? (isAsked ? await askServo(context, bus) : undefined);
  const more = isAsked ? await askJoints(context, draft) : {};
  const merged = { ...draft, ...more, ...said({ servo }) } as ArmAnswers;
  const names = [...merged.joints, merged.gripper].map(joint => joint?.name);
  for (const [name, model] of words.of)
    if (!names.includes(name))
      throw new KitError(
        'E_ARM_ANSWERS',
        `--servo ${name}=${model}: there is no joint '${name}'`,
        `name one of ${names.filter(known => known !== undefined).join(', ')}`,
        'usage',
      );
  const withServo = <Joint extends { name?: string | undefined }>(joint: Joint): Joint => ({
    ...joint,
    ...said({ servo: words.of.find(([name]) => name === joint.name)?.[1] }),
  });
  const { gripper } = merged;
  const whole = { ...merged, joints: merged.joints.map(withServo), gripper: gripper && withServo(gripper) };
  const answers = parseJson(JSON.stringify(whole), armAnswersSchema, 'the answers');
  return planOfAnswers(answers, { name: nameOf(folder, answers.name), bus });
}

async function planFromModel(
  folder: string,
  flags: InitFlags,
  from: string,
  context: CommandContext,
): Promise<ArmPlan> {
  refuseFlags(flags, ['joint', 'gripper', 'base'], 'describes an arm without a model, and there is --from');
  const tree = await readModelFile(from);
  const words = servoWords(flags.servo);
  const file: ModelAnswers =
    flags.answers === undefined ? {} : readJsonFile(flags.answers, modelAnswersSchema, 'answers');
  const merged: ModelAnswers = {
    ...file,
    ...said({
      name: flags.name,
      bus: flags.bus,
      servo: words.usual,
      loadG: flags.load,
      ...(flags.fingertip !== undefined && fingertipOf(flags.fingertip)),
      fixed: flags.fixed.length > 0 ? [...flags.fixed] : undefined,
    }),
    joints: modelJoints(file.joints ?? [], words.of, flags.range),
  };
  const answers = parseJson(JSON.stringify(merged), modelAnswersSchema, 'the answers');
  const bus = answers.bus ?? (await askBus(context));
  const servo = answers.servo ?? (answers.bus === undefined ? await askServo(context, bus) : undefined);
  const places = fingertipsOf(tree);
  const isKnown = answers.fingertip !== undefined || places.includes('fingertip') || places.length === 0;
  const tip = isKnown ? {} : await askFingertip(context, places);
  return planOfModel(
    tree,
    { ...answers, ...said({ servo }), ...tip },
    {
      name: nameOf(folder, answers.name),
      bus,
      source: basename(from),
    },
  );
}
