/**
 * One policy for many robots: the canaries first, one after the other, then the others, so many at once. The first robot that does not take it
 * is where it stops: nothing is begun any more, and what is under way ends by itself, on each robot by that robot's own judgement.
 */
import { shortDigest } from '@sim2servo/models/digest';
import { KitError } from '@sim2servo/models/error';
import { packError } from '@sim2servo/models/packed-error';
import type { RobotConnection } from '../agent/protocol.js';
import { connect } from '../targets/connect.js';
import {
  type DeployOptions,
  type DeployReport,
  type DeployStep,
  deployBundle,
  type OutgoingBundle,
  until,
} from '../targets/deploy-bundle.js';
import { askRobot, type RobotReport } from './fleet-status.js';
import type { FleetRobot } from './inventory.js';
import { overEach } from './over-each.js';

/**
 * `left`: it was not begun. `failed`: it refused, or was lost on the way. `interrupted`: it goes on without us, if it had begun. `replaced`:
 * it took it, and had another by the end.
 */
export type FleetOutcome = DeployReport['outcome'] | 'failed' | 'interrupted' | 'left' | 'replaced';

export interface RobotOutcome {
  readonly name: string;
  readonly to: string;
  readonly canary: boolean;
  readonly outcome: FleetOutcome;
  /** One line. */
  readonly words: string;
  readonly seconds: number;
  readonly error?: { readonly code: string; readonly hint: string };
}

export interface FleetReport {
  /** In the order in which they were to get it. */
  readonly robots: readonly RobotOutcome[];
  /** Names of those at which it stopped. */
  readonly stoppedAt: readonly string[];
}

/** A robot, and whether its arm is known to be driven: whoever may say so was asked. */
export interface FleetTurn extends FleetRobot {
  readonly driven: boolean;
}

export interface FleetDeployment extends Pick<DeployOptions, 'skip' | 'retryBad' | 'by'> {
  readonly signal: AbortSignal;
  /** How many of the first go before all others. */
  readonly canaries: number;
  /** Of those that come after the canaries. */
  readonly atOnce: number;
  readonly connectRobot?: typeof connect;
  readonly onStep: (robot: FleetRobot, step: DeployStep, seconds: number) => void;
  readonly onOutcome: (outcome: RobotOutcome) => void;
}

const took: ReadonlySet<FleetOutcome> = new Set(['current', 'waiting', 'committed']);
const bad: ReadonlySet<FleetOutcome> = new Set(['rolled-back', 'undecided', 'failed']);

/** At least one, where there are robots. @param share 0 … 1 */
export function canariesOf(robots: number, share: number): number {
  // What a share is not quite, for floating-point's sake, is no robot more.
  return Math.min(robots, Math.max(1, Math.ceil(robots * share - 1e-9)));
}

/** Those that drive come first: they try it at once, the others when they next drive. */
export function inTurn(robots: readonly FleetRobot[], reports: readonly RobotReport[]): readonly FleetTurn[] {
  const turns = robots.map((robot, i) => ({ ...robot, driven: reports[i]!.status?.running !== undefined }));
  return [...turns.filter(({ driven }) => driven), ...turns.filter(({ driven }) => !driven)];
}

/** Whatever happens to a robot ends in the report. */
export async function deployFleet(
  turns: readonly FleetTurn[],
  bundle: OutgoingBundle,
  deployment: FleetDeployment,
): Promise<FleetReport> {
  const { canaries, atOnce, signal, onOutcome } = deployment;
  const outcomes = new Map<string, RobotOutcome>();
  const stoppedAt: string[] = [];
  const goesOn = () => stoppedAt.length === 0 && !signal.aborted;
  const wave = (some: readonly FleetTurn[], canary: boolean, most: number) =>
    overEach(
      some,
      most,
      async turn => {
        const outcome = { name: turn.name, to: turn.to, canary, ...(await deployed(turn, bundle, deployment)) };
        outcomes.set(turn.name, outcome);
        // A canary that was to try it, and whose loop has ended meanwhile, has shown nothing.
        if (bad.has(outcome.outcome) || (canary && turn.driven && outcome.outcome === 'waiting'))
          stoppedAt.push(turn.name);
        onOutcome(outcome);
      },
      goesOn,
    );
  await wave(turns.slice(0, canaries), true, 1);
  await wave(turns.slice(canaries), false, atOnce);
  await overEach(
    turns.filter(({ name }) => took.has(outcomes.get(name)?.outcome ?? 'left')),
    atOnce,
    async turn => {
      const before = outcomes.get(turn.name)!;
      const words = await replacedBy(turn, bundle, deployment);
      if (words === undefined) return;
      const outcome = { ...before, outcome: 'replaced', words } as const;
      outcomes.set(turn.name, outcome);
      onOutcome(outcome);
    },
    () => !signal.aborted,
  );
  return {
    robots: turns.map(
      ({ name, to }, i) =>
        outcomes.get(name) ?? { name, to, canary: i < canaries, outcome: 'left', words: 'as it was', seconds: 0 },
    ),
    stoppedAt,
  };
}

/**
 * Two who deploy at once would each call it a success.
 *
 * @returns what a robot has by now instead, in words; undefined also where it does not answer now: that it took it was seen
 */
async function replacedBy(
  turn: FleetTurn,
  { bundle }: OutgoingBundle,
  { connectRobot }: FleetDeployment,
): Promise<string | undefined> {
  const { status } = await askRobot(turn, connectRobot);
  if (status === undefined) return undefined;
  const { current, state } = status;
  if (current === bundle.digest || state.trial?.digest === bundle.digest) return undefined;
  return current === undefined ? 'it has no policy any more' : `it has ${shortDigest(current)} by now`;
}

const oneLine = (words: string) => words.replaceAll(/\s*\n\s*/g, '; ');

async function deployed(
  turn: FleetTurn,
  bundle: OutgoingBundle,
  { skip, retryBad, by, signal, connectRobot = connect, onStep }: FleetDeployment,
): Promise<Pick<RobotOutcome, 'outcome' | 'words' | 'seconds' | 'error'>> {
  const since = performance.now();
  const seconds = () => (performance.now() - since) / 1000;
  const connecting = connectRobot(turn.target, turn.options);
  let connection: RobotConnection | undefined;
  try {
    connection = await until(connecting, signal);
    const { outcome, words } = await deployBundle(connection, bundle, {
      ...(skip && { skip }),
      ...(retryBad && { retryBad }),
      by,
      signal,
      onStep: (step, s) => onStep(turn, step, s),
      async agree({ running }) {
        if (running === undefined || turn.driven) return;
        throw new KitError(
          'E_FLEET_DRIVEN',
          `its arm is driven by ${shortDigest(running.digest)} since, and nobody was asked about that`,
          'run it again: it asks',
        );
      },
    });
    return { outcome, words, seconds: seconds() };
  } catch (error) {
    const { code, message, hint } = packError(error, 'E_FLEET_BUG');
    const outcome = signal.aborted ? 'interrupted' : 'failed';
    return { outcome, words: oneLine(message), seconds: seconds(), error: { code, hint } };
  } finally {
    if (connection !== undefined) await connection.close();
    // One that comes only after the interruption; why it does not come was told.
    else
      void connecting.then(
        late => late.close(),
        () => {},
      );
  }
}

/**
 * Whether all of them can be deployed to, before the first is.
 *
 * @param robotName whose policy it is
 * @param without   left out already
 * @throws KitError E_FLEET_ABSENT, E_FLEET_MIXED, E_DEPLOY_BUSY: nothing was changed
 */
export function checkFleet(reports: readonly RobotReport[], robotName: string, without: readonly string[] = []): void {
  const complain = (
    code: string,
    those: readonly RobotReport[],
    what: string,
    why: (report: RobotReport) => string,
    hint: string,
    exit: 'failed' | 'usage' | 'noDevice' = 'failed',
  ) => {
    if (those.length === 0) return;
    const lines = those.map(report => `  ${report.name}: ${why(report)}`);
    const names = [...without, ...those.map(({ name }) => name)].join(',');
    throw new KitError(
      code,
      `${those.length} of ${reports.length} robots ${what}; nothing was changed\n${lines.join('\n')}`,
      those.length === reports.length ? hint.replace(/,? or leave them out:$/, '') : `${hint} --without ${names}`,
      exit,
    );
  };
  complain(
    'E_FLEET_ABSENT',
    reports.filter(({ health }) => health === 'absent'),
    'do not answer',
    ({ lastError }) => lastError!.message,
    'see to them, or leave them out:',
    'noDevice',
  );
  complain(
    'E_FLEET_MIXED',
    reports.filter(({ status }) => status?.robot !== undefined && status.robot !== robotName),
    `are no ${robotName}`,
    ({ status }) => `it is a ${status!.robot}`,
    'name a --group of one kind, or leave them out:',
    'usage',
  );
  complain(
    'E_DEPLOY_BUSY',
    reports.filter(({ status }) => status?.running !== undefined && status.state.trial !== undefined),
    'try another policy just now',
    ({ status }) => `${status!.state.trial!.phase}, ${shortDigest(status!.state.trial!.digest)}`,
    'wait for its end, or leave them out:',
  );
}
