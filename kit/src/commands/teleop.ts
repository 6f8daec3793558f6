/** `kit teleop`: a person moves the arm, through the same loop and shield as a policy. */
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { endlessGoal } from '@sim2servo/runtime/goal-source';
import { runArm } from '@sim2servo/runtime/run-arm';
import { targetPolicy } from '@sim2servo/runtime/teleop/target-policy';
import {
  type ArmFlags,
  armClock,
  chooseArm,
  confirmMotion,
  driveArm,
  handOver,
  reportWords,
  withArmOptions,
} from '../arm-at-hand.js';
import type { AddCommand, CommandContext } from '../command-context.js';
import { chooseHand, type HandFlags, withHandOptions } from '../hand.js';
import { openKeyboard } from '../keyboard.js';
import { positiveNumber } from '../number-option.js';

interface TeleopFlags extends ArmFlags, HandFlags {
  readonly seconds?: number;
}

export const addTeleop: AddCommand = (program, context) => {
  withArmOptions(
    withHandOptions(
      program
        .command('teleop')
        .description('move an arm by hand: a leader arm, the keyboard or a gamepad; Ctrl-C holds it')
        .option('--seconds <n>', 'end after this time; without it, only Ctrl-C ends it', positiveNumber),
    ),
  ).action((flags: TeleopFlags) => teleop(flags, context));
};

async function teleop(flags: TeleopFlags, context: CommandContext): Promise<void> {
  const { seconds, rate } = flags;
  const arm = chooseArm(flags);
  const hand = chooseHand(flags, arm, context.io);
  const how = `${hand.how}, at ${rate} Hz, ${seconds === undefined ? 'until Ctrl-C' : `${seconds} s`}`;
  await confirmMotion(context, arm, flags, how, hand.first);
  const clock = armClock(flags, context);
  const open = await hand.open(clock);
  let closeKeys = () => {};
  try {
    context.io.err(open.help);
    if (hand.name === 'keyboard')
      closeKeys = openKeyboard(context.io.keys, { press: open.press, interrupt: context.interrupt });
    const report = await driveArm(
      context,
      arm,
      clock,
      () => open.source.words(),
      options =>
        runArm({
          ...options,
          task: taskNamed('reach'),
          controlRateHz: rate,
          policy: targetPolicy(arm.robot.spec, rate, open.source),
          drivenBy: { policyDigest: '', drivenBy: hand.name },
          goals: endlessGoal,
          ...(seconds !== undefined && { seconds }),
        }),
    );
    handOver(context, report, () => reportWords(report, `moved by ${hand.name}; ${open.source.words()} at the end`));
  } finally {
    closeKeys();
    await open.close();
  }
}
