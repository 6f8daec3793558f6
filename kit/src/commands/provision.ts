/** `kit provision`: the runtime and its service onto a robot that has neither, and away again. */

import { type PlatformName, platformNames } from '@sim2servo/deploy/provision/platforms';
import {
  budgets,
  carryOut,
  measureInstalled,
  megabytes,
  type Place,
  type Plan,
  planProvision,
  planUninstall,
  type StepResult,
  scriptOf,
  skipReason,
} from '@sim2servo/deploy/provision/provision';
import { unpackedBytes } from '@sim2servo/deploy/provision/runtime-package';
import { sshTargetOf } from '@sim2servo/deploy/provision/target-shell';
import { brokerText } from '@sim2servo/firmware-bridge/mqtt/broker-error';
import { shortDigest } from '@sim2servo/models/digest';
import { KitError } from '@sim2servo/models/error';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { brokerUrl } from '@sim2servo/models/site';
import { InvalidArgumentError, Option } from 'commander';
import type { AddCommand, CommandContext } from '../command-context.js';
import { openKey, runtimeSigner } from '../keys/sign-bundle.js';
import { ProgressLine } from '../progress-line.js';

interface Flags {
  readonly to?: string;
  readonly root?: string;
  readonly sshConfig?: string;
  readonly robot?: string;
  readonly platform?: PlatformName;
  readonly port?: string;
  readonly sign?: string;
  readonly mqtt?: string;
  readonly node?: string;
  readonly wasm?: boolean;
  readonly ownNode?: boolean;
  readonly replaceSite?: boolean;
  readonly dryRun?: boolean;
  readonly uninstall?: boolean;
  readonly yes?: boolean;
}

export const addProvision: AddCommand = (program, context) => {
  program
    .command('provision')
    .description('install the runtime and its service on a robot; nothing moves, and the robot needs no internet')
    .argument('[user@host]', 'the robot, over ssh; :PORT may follow')
    .option('--to <folder>', 'instead of a machine: the root folder of an image')
    .option('--root <folder>', 'with user@host: a folder there instead of /')
    .option('--ssh-config <file>', 'for ssh, instead of ~/.ssh/config')
    .option('--robot <name>', 'robot folder to install; its site.json says how the servos are wired')
    .addOption(new Option('--platform <platform>', 'of the robot (default: what it is)').choices(platformNames))
    .option('--port <path>', 'serial port on the robot (default: the one in site.json)')
    .option('--mqtt <url>', 'broker that policies come from: installs the agent, too', brokerAddress)
    .option('--sign <name>', 'sign the runtime with this key (kit keys list), for a robot that trusts keys')
    .option('--node <file>', 'Node executable of the robot’s platform, instead of the one from npm')
    .option('--own-node', 'the Node that the robot has; 20.11 or later')
    .option('--wasm', 'ONNX Runtime’s WebAssembly build, where the native one does not run')
    .option('--replace-site', 'put the site.json from here over the one that is calibrated there')
    .option('--dry-run', 'show each change with all it writes, and make none')
    .option('--uninstall', 'take all away again but the logs')
    .option('-y, --yes', 'do not ask')
    .action((target: string | undefined, flags: Flags) => provision(target, flags, context));
};

function brokerAddress(text: string): string {
  if (brokerUrl.safeParse(text).success) return text;
  throw new InvalidArgumentError(`'${text}' is no broker: write mqtt://HOST[:PORT] or mqtts://HOST[:PORT].`);
}

/** @throws KitError E_TARGET_MISSING, E_TARGET_NAME */
function placeOf(target: string | undefined, { to, root, sshConfig }: Flags): Place {
  if ((target === undefined) === (to === undefined))
    throw new KitError(
      'E_TARGET_MISSING',
      target === undefined ? 'neither a machine nor a folder was named' : 'both a machine and a folder were named',
      'kit provision user@host --robot FOLDER, or --to FOLDER for an image',
      'usage',
    );
  return target === undefined ? { root: to! } : { ssh: sshTargetOf(target, sshConfig), root: root ?? '/' };
}

async function provision(target: string | undefined, flags: Flags, context: CommandContext): Promise<void> {
  const place = placeOf(target, flags);
  const { io, signal } = context;
  if (flags.uninstall === true) {
    const plan = await planUninstall(place, signal);
    if (flags.dryRun === true) return showPlan(plan, context, flags);
    await agree(
      context,
      flags,
      `About to uninstall sim2servo on ${plan.shell.where}. Policies go with it; the logs stay.`,
    );
    const { steps } = await work(plan, context);
    return context.result(
      { where: plan.shell.where, steps },
      () => `nothing is left on ${plan.shell.where} but its logs`,
    );
  }
  if (flags.robot === undefined)
    throw new KitError(
      'E_ROBOT_UNNAMED',
      '--robot is missing',
      'name the robot folder that is to be installed',
      'usage',
    );
  const robot = loadRobot(flags.robot);
  const signer = flags.sign === undefined ? undefined : runtimeSigner(await openKey(flags.sign, context));
  const plan = await planProvision({
    place,
    robot,
    signal,
    onFetch: what => io.err(`fetching ${what}`),
    ...(flags.platform !== undefined && { platform: flags.platform }),
    ...(flags.port !== undefined && { port: flags.port }),
    ...(flags.mqtt !== undefined && { mqtt: flags.mqtt }),
    ...(signer !== undefined && { sign: signer }),
    ...(flags.node !== undefined && { nodePath: flags.node }),
    ...(flags.ownNode !== undefined && { ownNode: flags.ownNode }),
    ...(flags.wasm !== undefined && { wasm: flags.wasm }),
    ...(flags.replaceSite !== undefined && { replaceSite: flags.replaceSite }),
  });
  if (flags.dryRun === true) return showPlan(plan, context, flags);
  const { where } = plan.shell;
  const { platform, manifest } = plan.runtime!;
  await agree(
    context,
    flags,
    `About to install sim2servo ${manifest.version} (${platform}) for ${robot.spec.name} on ${where}. Nothing moves: the service waits until it is told to start.`,
  );
  const { steps, sent } = await work(plan, context);
  const measured = plan.runs ? await measureInstalled(plan) : undefined;
  const figures = { sentBytes: sent, unpackedBytes: unpackedBytes(plan.runtime!), ...measured };
  context.result({ where, platform, runtime: plan.runtime!.digest, steps, figures, budgets }, () =>
    [
      `runtime ${shortDigest(plan.runtime!.digest)} for ${platform}: Node ${manifest.node}, inference ${manifest.inference}`,
      figureLine('sent', megabytes(sent), sent, budgets.sentBytes, megabytes),
      figureLine('unpacked', megabytes(figures.unpackedBytes), figures.unpackedBytes, budgets.unpackedBytes, megabytes),
      ...(measured === undefined
        ? [
            `memory and time to the first tick: not measured, as ${platform} does not run here; sim2servo-robot measure does it on the robot`,
          ]
        : [
            figureLine('memory, waiting', megabytes(measured.rssBytes), measured.rssBytes, budgets.rssBytes, megabytes),
            figureLine(
              'start to first tick',
              milliseconds(measured.firstTickMs),
              measured.firstTickMs,
              budgets.firstTickMs,
              milliseconds,
            ),
          ]),
      `next: ${nextWords(flags, target)}`,
    ].join('\n'),
  );
}

const milliseconds = (ms: number): string => `${Math.round(ms)} ms`;

function figureLine(what: string, text: string, value: number, most: number, words: (value: number) => string): string {
  return `${what}: ${text}, ${value <= most ? 'within' : 'OVER'} the ${words(most)} it may take`;
}

function nextWords({ to }: Flags, target: string | undefined): string {
  return target === undefined
    ? `kit deploy BUNDLE --to ${to}/var/lib/sim2servo/store`
    : `kit deploy BUNDLE --to ${target}, then kit start ${target}`;
}

async function agree({ io }: CommandContext, { yes }: Flags, what: string): Promise<void> {
  io.err(what);
  if (yes === true) return;
  const answer = await io.ask('Go on?');
  if (answer === true) return;
  throw new KitError(
    'E_NOT_CONFIRMED',
    answer === undefined ? 'nobody can be asked: stdin is not a terminal' : 'you said no: nothing was changed',
    'add --yes, or look at it first with --dry-run',
    answer === undefined ? 'usage' : 'failed',
  );
}

async function work(plan: Plan, { io }: CommandContext): Promise<{ steps: StepResult[]; sent: number }> {
  const line = new ProgressLine(io);
  const steps: StepResult[] = [];
  const sent = await carryOut(
    plan,
    step => {
      line.done();
      steps.push(step);
      io.err(
        `${step.name.padEnd(10)} ${step.outcome === 'done' ? `${step.seconds.toFixed(1)} s` : 'skipped'}  ${step.words}`,
      );
    },
    bytes => line.show(() => `sent ${megabytes(bytes)}`),
  );
  line.done();
  return { steps, sent };
}

function showPlan(plan: Plan, context: CommandContext, { mqtt }: Flags): void {
  // What is shown may end up in a log: a broker's password is not.
  const plain = (text: string) => (mqtt === undefined ? text : text.replaceAll(mqtt, brokerText(mqtt)));
  const steps = plan.steps.map(step => ({
    name: step.name,
    words: step.words,
    script: plain(scriptOf(plan, step)),
    ...(skipReason(plan, step) !== undefined && { skipped: skipReason(plan, step) }),
  }));
  context.result({ where: plan.shell.where, steps }, () =>
    [
      ...steps.map(({ name, words, skipped }, i) =>
        skipped === undefined
          ? `# ${name}: ${words}\n${plain(plan.steps[i]!.script)}`
          : `# ${name}: ${words}\n# skipped: ${skipped}\n`,
      ),
      `# nothing was changed on ${plan.shell.where}`,
    ].join('\n'),
  );
}
