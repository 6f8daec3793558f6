/** `kit fleet`: many robots of one inventory file. A policy goes to the canaries first, and to no further robot once one does not take it. */
import { canariesOf, checkFleet, deployFleet, inTurn } from '@sim2servo/deploy/fleet/deploy-fleet';
import { fleetStatus, type RobotReport } from '@sim2servo/deploy/fleet/fleet-status';
import { type FleetRobot, readFleet, selected } from '@sim2servo/deploy/fleet/inventory';
import { readOutgoing } from '@sim2servo/deploy/targets/deploy-bundle';
import { shortDigest } from '@sim2servo/models/digest';
import { operator } from '@sim2servo/runtime/releases/operator';
import { resolvePolicy } from '@sim2servo/runtime/releases/release-store';
import { type Command, InvalidArgumentError } from 'commander';
import type { AddCommand, CommandContext } from '../command-context.js';
import { stepLine } from '../deploy-words.js';
import { fleetReportWords, fleetStatusWords, listWords, outcomeLine } from '../fleet-words.js';
import { confirm } from '../io.js';
import { signFitting } from '../keys/sign-bundle.js';
import { atLeastOne } from '../number-option.js';
import { duration, ProgressLine } from '../progress-line.js';
import { type TrialFlags, trialOptions, trialWishes } from '../trial-options.js';
import { signedWords } from './keys.js';

interface FleetFlags {
  readonly fleet: string;
  readonly group?: readonly string[];
  readonly without?: readonly string[];
}

interface DeployFlags extends FleetFlags, TrialFlags {
  readonly canary: number;
  readonly atOnce: number;
  readonly sign?: string;
  readonly yes?: boolean;
}

/** What takes no longer shows no progress. */
const soonMs = 1_000;

export const addFleet: AddCommand = (program, context) => {
  const fleet = program.command('fleet').description('deploy to many robots, canaries first, and see how they are');
  const add = (name: string, what: string): Command =>
    fleet
      .command(name)
      .description(what)
      .option('--fleet <file>', 'the inventory (docs/deploy.md)', 'fleet.json')
      .option('--group <names>', 'robots of any of these groups, separated by commas (default: all robots)', names)
      .option('--without <names>', 'but not these robots', names);
  add('list', 'the robots of the inventory').action((flags: FleetFlags) => {
    const robots = meant(flags);
    context.result(
      robots.map(({ name, to, groups }) => ({ name, to, groups })),
      () => listWords(robots),
    );
  });
  add('status', 'version, health, policy and last error of each robot; exit code 3 where one does not answer').action(
    async (flags: FleetFlags) => {
      const reports = await look(meant(flags), context);
      context.result(reports, () => fleetStatusWords(reports));
      if (reports.some(({ health }) => health === 'absent')) context.exit('noDevice');
    },
  );
  trialOptions(
    add(
      'deploy',
      'bring a bundle to the canaries, one after the other, then to the others; stop at the first bad robot',
    )
      .argument('<bundle>', 'folder that kit export wrote')
      .option('--canary <percent>', 'so many of the robots are canaries, one at least', percent, 10)
      .option('--at-once <n>', 'robots at once, after the canaries', atLeastOne, 4)
      .option('--sign <name>', 'sign the bundle first, with this key (kit keys list)'),
  )
    .option('-y, --yes', 'the arms are free to move: do not ask')
    .action((bundle: string, flags: DeployFlags) => deploy(bundle, flags, context));
};

const names = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...text.split(',').map(name => name.trim()),
];

function percent(text: string): number {
  const value = Number(text.replace(/%$/, ''));
  if (!(value > 0 && value <= 100)) throw new InvalidArgumentError(`'${text}' is no percentage above 0, up to 100.`);
  return value;
}

function meant({ fleet, group, without }: FleetFlags): readonly FleetRobot[] {
  return selected(readFleet(fleet), { ...(group && { groups: group }), ...(without && { without }) });
}

async function look(robots: readonly FleetRobot[], { io, signal }: CommandContext): Promise<readonly RobotReport[]> {
  const line = new ProgressLine(io);
  const asking = setInterval(() => line.show(() => `asking ${robots.length} robots how they are`), soonMs);
  try {
    return await fleetStatus(robots, { signal });
  } finally {
    clearInterval(asking);
    line.done();
  }
}

async function deploy(bundle: string, flags: DeployFlags, context: CommandContext): Promise<void> {
  const { io, signal } = context;
  const robots = meant(flags);
  const folder = resolvePolicy(bundle);
  let outgoing = readOutgoing(folder);
  const { manifest, digest } = outgoing.bundle;
  const reports = await look(robots, context);
  checkFleet(reports, manifest.robot.name, flags.without);
  const turns = inTurn(robots, reports);
  const driven = turns.filter(({ driven }) => driven).map(({ name }) => name);
  await confirm(
    io,
    driven.length > 0
      ? `${driven.length} of ${robots.length} arms are driven just now (${driven.join(', ')}); ${manifest.name} is tried on each, and takes over where it is good.`
      : `No arm of ${robots.length} is driven just now, so nobody tries ${manifest.name} before all have it; each arm tries it when it is driven next.`,
    flags.yes === true,
  );
  // Only what the robots could take, and somebody wants them to, is signed.
  if (flags.sign !== undefined) {
    io.err(signedWords(await signFitting(folder, flags.sign, {}, context)));
    outgoing = readOutgoing(folder);
  }
  const canaries = canariesOf(turns.length, flags.canary / 100);
  const first = turns.slice(0, canaries).map(({ name }) => name);
  io.err(
    `${manifest.name} ${shortDigest(digest)} to ${turns.length} robots; canaries, one after the other: ${first.join(', ')}; then ${flags.atOnce} at once`,
  );
  const line = new ProgressLine(io);
  const since = performance.now();
  let done = 0;
  const report = await deployFleet(turns, outgoing, {
    by: operator(),
    ...trialWishes(flags),
    signal,
    canaries,
    atOnce: flags.atOnce,
    onStep({ name }, step, seconds) {
      const leftS = ((performance.now() - since) / 1000 / done) * (turns.length - done);
      const eta = done === 0 ? '' : `, ${duration(leftS)} left`;
      line.show(() => `${done} of ${turns.length} robots${eta}; ${name}: ${stepLine(step, seconds)}`);
    },
    onOutcome(outcome) {
      done++;
      line.done();
      io.err(outcomeLine(outcome));
    },
  });
  line.done();
  context.result({ digest, ...report }, () => fleetReportWords(report, robots, digest));
  if (report.stoppedAt.length > 0 || report.robots.some(({ outcome }) => outcome === 'replaced'))
    context.exit('failed');
}
