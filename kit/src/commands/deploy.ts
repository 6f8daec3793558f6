/** `kit deploy`: a bundle is brought to a robot, tested there and put on trial, or nothing changes; what a robot has, how it came, and back. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RobotConnection } from '@sim2servo/deploy/agent/protocol';
import { connect } from '@sim2servo/deploy/targets/connect';
import { deployBundle } from '@sim2servo/deploy/targets/deploy-bundle';
import { parseTarget, printableTarget } from '@sim2servo/deploy/targets/target';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { expectationOf } from '@sim2servo/models/bundle/signed-manifest';
import { shortDigest } from '@sim2servo/models/digest';
import { KitError } from '@sim2servo/models/error';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { operator } from '@sim2servo/runtime/releases/operator';
import { resolvePolicy } from '@sim2servo/runtime/releases/release-store';
import type { Command } from 'commander';
import type { AddCommand, CommandContext } from '../command-context.js';
import { historyWords, nextCommand, reportWords, statusWords, stepLine } from '../deploy-words.js';
import { confirm } from '../io.js';
import { signFitting } from '../keys/sign-bundle.js';
import { wholeNumber } from '../number-option.js';
import { ProgressLine } from '../progress-line.js';
import { reason, type TrialFlags, trialOptions, trialWishes } from '../trial-options.js';
import { signedWords } from './keys.js';

interface TargetFlags {
  readonly to: string;
  readonly robot?: string;
  readonly sshConfig?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

interface DeployFlags extends TargetFlags, TrialFlags {
  readonly sign?: string;
  readonly yes?: boolean;
}

/** What takes no longer shows no progress. */
const soonS = 0.5;

export const addDeploy: AddCommand = (program, context) => {
  const deploy = program
    .command('deploy')
    .description('bring a bundle to a robot and test it there; the robot tries it, and keeps it if it is good')
    .usage('<bundle> --to <target> [options]\n       kit deploy status|rollback|history --to <target>')
    .argument('<bundle>', 'folder that kit export wrote')
    .requiredOption('--to <target>', 'DIR, user@host[:port] (by OpenSSH), or mqtt://broker/robot')
    .option(
      '--robot <name>',
      'check the bundle against this robot, and its trusted keys; other targets than DIR know theirs',
    )
    .option('--sign <name>', 'sign the bundle first, with this key (kit keys list)')
    .option('--ssh-config <file>', 'another configuration file for ssh')
    .option('--ca <file>', 'who vouches for the broker (default: what the system trusts)')
    .option('--cert <file>', 'our certificate, where the broker wants one')
    .option('--key <file>', 'its key')
    .option('-y, --yes', 'the arm is free to move: do not ask')
    .action((bundle: string, flags: DeployFlags) => deployTo(bundle, flags, context));
  trialOptions(deploy);
  // The options above may stand on either side of these names.
  const add = (name: string, what: string, act: (flags: TargetFlags & Record<string, unknown>) => Promise<void>) =>
    deploy
      .command(name)
      .description(what)
      .action((_, command: Command) => act(command.optsWithGlobals()));
  add('status', 'what a robot has, drives and tries', flags =>
    asked(flags, context, async robot => {
      const status = await robot.request({ kind: 'status' });
      context.result(status, () => statusWords(status));
    }),
  );
  add('history', 'what was deployed to a robot, and what became of it', flags =>
    asked(flags, context, async robot => {
      const entries = await robot.request({ kind: 'history', last: flags.last as number });
      context.result(entries, () => historyWords(entries));
    }),
  ).option('--last <n>', 'so many lines', wholeNumber, 40);
  add('rollback', 'back to the policy before, whatever its sequence', flags =>
    asked(flags, context, robot => rollback(robot, flags, context)),
  )
    .option('--reason <text>', 'why, for the history', reason, 'an operator wants it')
    .option('-y, --yes', 'the arm is free to move: do not ask');
};

function open({ to, ...flags }: TargetFlags, { json }: CommandContext): Promise<RobotConnection> {
  if ((flags.cert === undefined) !== (flags.key === undefined))
    throw new KitError('E_BROKER_FILE', 'of --cert and --key only one is there', 'name both', 'usage');
  return connect(to, { ...flags, batch: json || process.stdin.isTTY !== true });
}

async function asked(
  flags: TargetFlags,
  context: CommandContext,
  question: (robot: RobotConnection) => Promise<void>,
): Promise<void> {
  const target = parseTarget(flags.to);
  if (target.kind === 'folder' && !existsSync(target.path))
    throw new KitError('E_DEPLOY_TARGET', `there is no folder ${target.path}`, 'name a release store', 'usage');
  const robot = await open(flags, context);
  try {
    await question(robot);
  } finally {
    await robot.close();
  }
}

async function rollback(
  robot: RobotConnection,
  flags: TargetFlags & Readonly<Record<string, unknown>>,
  context: CommandContext,
): Promise<void> {
  const { running, previous, state } = await robot.request({ kind: 'status' });
  // Where there is nothing to go back to nothing moves: the robot says so itself.
  if (running !== undefined && (previous ?? state.trial) !== undefined)
    await confirm(
      context.io,
      `The arm at ${printableTarget(flags.to)} is driven by ${shortDigest(running.digest)} just now; the policy before takes over from it.`,
      flags.yes === true,
    );
  const { digest } = await robot.request({ kind: 'rollback', reason: flags.reason as string, by: operator() });
  context.result({ digest }, () => `${shortDigest(digest)} is current again`);
}

async function deployTo(bundle: string, flags: DeployFlags, context: CommandContext): Promise<void> {
  const { io, signal } = context;
  const { to } = flags;
  const target = parseTarget(to);
  const robot = flags.robot === undefined ? undefined : loadRobot(flags.robot);
  const expected = robot === undefined ? {} : expectationOf(robot);
  const folder = resolvePolicy(bundle);
  const signature = flags.sign === undefined ? undefined : await signFitting(folder, flags.sign, expected, context);
  // Wrong ones are told from right ones before anybody is called.
  const { manifest } = loadBundle(folder, expected);
  if (signature !== undefined) io.err(signedWords(signature));
  const progress = new ProgressLine(io);
  const connection = await open(flags, context);
  try {
    const report = await deployBundle(connection, bundle, {
      expected,
      by: operator(),
      signal,
      ...trialWishes(flags),
      async agree({ running }) {
        if (running === undefined) return;
        await confirm(
          io,
          `The arm at ${printableTarget(to)} is driven by ${shortDigest(running.digest)} just now; ${manifest.name} is tried on it, and takes over if it is good; one of another network waits for the next run.`,
          flags.yes === true,
        );
      },
      onStep(step, seconds) {
        if (step.kind === 'sending') {
          if (seconds > soonS) progress.show(() => stepLine(step, seconds));
        } else {
          progress.done();
          io.err(stepLine(step, seconds));
        }
      },
    });
    if (report.outcome === 'rolled-back')
      throw new KitError(
        'E_DEPLOY_ROLLED_BACK',
        `the robot tried ${shortDigest(report.digest)} and rolled back: ${report.words}`,
        `it has what it had before; see kit deploy history --to ${printableTarget(to)}`,
      );
    const release = target.kind === 'folder' ? { release: join(target.path, 'releases', report.digest) } : {};
    const run = `kit run --robot ${flags.robot ?? manifest.robot.name} --policy ${to} --port PATH`;
    const next = nextCommand(report, target, printableTarget(to), run);
    context.result({ ...report, ...release, ...(signature && { signature }) }, () =>
      reportWords(report, printableTarget(to), next),
    );
  } finally {
    progress.done();
    await connection.close();
  }
}
