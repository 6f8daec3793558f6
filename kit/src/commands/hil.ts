/** `kit hil`: the virtual hardware, and the tests on it. */
import { join } from 'node:path';
import { firmwareImage } from '@sim2servo/firmware-bridge/firmware-image';
import { lastServoId } from '@sim2servo/firmware-bridge/service-bus';
import { runHil } from '@sim2servo/hil-tests/hil-report';
import { compareReports } from '@sim2servo/hil-tests/report/compare-reports';
import { readReport } from '@sim2servo/hil-tests/report/read-report';
import { type HilReport, killedWords, latenciesOf, swapWords } from '@sim2servo/hil-tests/report/report';
import { AvrServer } from '@sim2servo/hil-tests/rig/avr-server';
import { BusServer } from '@sim2servo/hil-tests/rig/bus/bus-server';
import { type BusKind, busKinds } from '@sim2servo/hil-tests/rig/bus/create-bus';
import { KitError } from '@sim2servo/models/error';
import { shippedRobotOn } from '@sim2servo/models/robot-folder';
import { changedArm } from '@sim2servo/sim/arm-variation';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { checkLine } from '../check-line.js';
import type { AddCommand, CommandContext } from '../command-context.js';
import { confirm } from '../io.js';
import { atLeastOne, positiveNumber } from '../number-option.js';
import { ProgressLine } from '../progress-line.js';
import { latencyAdviser } from '../servo-port.js';

interface UpFlags extends Pick<HilFlags, 'robot' | 'rig' | 'kind'> {
  readonly arm: 'nominal' | 'changed';
  readonly servos: number;
  readonly baud: number;
}

interface HilFlags {
  readonly robot?: string;
  readonly rig: string;
  readonly yes?: boolean;
  readonly report: string;
  readonly kind?: BusKind;
  readonly seconds: number;
}

export const addHil: AddCommand = (program, context) => {
  const hil = program
    .command('hil')
    .description('latency and safety tests on the real firmware image or on emulated servos, without hardware')
    .option('--robot <name>', 'shipped robot or robot folder; default: desk2, and on rig bus the one of --kind')
    .option(
      '--rig <rig>',
      'ideal, avr, bus (emulated servos), all (one arm of each bus), or your own arm: serial:PATH',
      'avr',
    )
    .addOption(new Option('--kind <kind>', 'on rig bus: the shipped robot with servos of this kind').choices(busKinds))
    .option('--report <folder>', 'where report.html, report.md and report.json go', 'hil-report')
    .option('--seconds <n>', 'how long a real host program is measured', positiveNumber, 12)
    .option('-y, --yes', 'on your own arm: it is free to move, do not ask')
    .action(async (flags: HilFlags) => {
      const robot = robotOf(flags);
      if (flags.rig.startsWith('serial:'))
        await confirm(
          context.io,
          `About to move ${robot} on ${flags.rig.slice('serial:'.length)}: it swings each joint by 0.3 rad, holds, goes limp, then swings for ${flags.seconds} s at a quarter of its greatest speed.\nKeep clear of the arm, and see that it may fall.`,
          flags.yes === true,
        );
      const line = new ProgressLine(context.io);
      const report = await runHil({
        robot,
        rig: flags.rig,
        reportDir: flags.report,
        seconds: flags.seconds,
        signal: context.signal,
        onProgress: what => line.show(() => what),
        onLatency: latencyAdviser({
          err: advice => {
            line.done();
            context.io.err(advice);
          },
        }),
      });
      line.done();
      context.result(report, () => words(report, flags.report));
      if (!report.passed) context.exit('failed');
    });
  hil
    .command('compare <before> <after>')
    .description(
      'what got worse from one report to the next, beyond the noise (docs/hil.md); exit code 1 where something did',
    )
    .action((before: string, after: string) => {
      const worse = compareReports(readReport(before), readReport(after));
      context.result({ worse }, () =>
        worse.length === 0
          ? 'nothing got worse'
          : worse.map(({ what, before: was, after: is }) => `worse: ${what}: ${was}, now ${is}`).join('\n'),
      );
      if (worse.length > 0) context.exit('failed');
    });
  hil
    .command('up')
    .description('serve a virtual board, or a bus of virtual servos, on a serial port of its own, until Ctrl-C')
    .addOption(
      new Option('--arm <which>', 'the arm on it; changed: load +50 %, gain -20 %, 3° offset')
        .choices(['nominal', 'changed'])
        .default('nominal'),
    )
    .option(
      '--servos <n>',
      'with --kind, on rig bus: how many servos that turn nothing; their ids are 1 to n',
      servoCount,
      6,
    )
    .option('--baud <rate>', 'with --kind: of the wire and the servos', atLeastOne, 1_000_000)
    .action(async (_own: unknown, command: Command) => {
      const flags = command.optsWithGlobals<UpFlags>(); // --robot and --rig are those of `hil`
      const robot = robotOf(flags);
      for (const name of ['servos', 'baud'] as const)
        if (flags.kind === undefined && command.getOptionValueSource(name) === 'cli')
          throw new KitError(
            'E_RIG_KIND',
            `--${name} says something of servos that turn nothing, and ${robot} has its own`,
            `use --rig bus --kind ${busKinds.join('|')}, or leave --${name} out`,
            'usage',
          );
      if (flags.rig === 'bus') return serveBus(robot, flags, context);
      if (flags.rig !== 'avr')
        throw new KitError('E_RIG_SERVE', `rig ${flags.rig} has no port to serve`, 'use --rig avr or bus', 'usage');
      const server = await AvrServer.start({
        robot,
        imagePath: firmwareImage,
        ...variationOf(flags),
      });
      context.signal.addEventListener('abort', () => server.stop());
      context.result({ port: server.path }, () => server.path);
      context.io.err(
        `A ${robot} with an ATmega328P is on ${server.path} (Ctrl-C ends it). Try:\n  kit run --robot ${robot} --policy robot --port ${server.path} --seconds 20`,
      );
      await server.run();
      const report = server.handle({ kind: 'report' })!;
      context.io.err(
        `It ran ${(report.nowUs / 1e6).toFixed(1)} s, could have run ${report.realTimeFactor.toFixed(1)} times as fast as real time.`,
      );
    });
};

function robotOf({ robot, kind, rig }: Pick<HilFlags, 'robot' | 'rig' | 'kind'>): string {
  if (kind !== undefined && (rig !== 'bus' || robot !== undefined))
    throw new KitError(
      'E_RIG_KIND',
      `--kind ${kind} says which robot is on rig bus, and ${rig === 'bus' ? `--robot ${robot}` : `--rig ${rig}`} was given`,
      'use --rig bus --kind alone, or --robot',
      'usage',
    );
  return robot ?? shippedRobotOn[kind ?? (rig === 'bus' || rig === 'bus-lockstep' ? 'feetech' : 'kitlink')];
}

function servoCount(text: string): number {
  const count = atLeastOne(text);
  if (count > lastServoId) throw new InvalidArgumentError(`a bus has ids up to ${lastServoId}.`);
  return count;
}

const variationOf = ({ arm }: UpFlags) => (arm === 'changed' ? { variation: changedArm } : {});

async function serveBus(robot: string, flags: UpFlags, context: CommandContext): Promise<void> {
  const { kind, servos, baud } = flags;
  const server = await BusServer.start(
    kind === undefined ? { robot, ...variationOf(flags) } : { kind, servos, baudRate: baud },
  );
  context.signal.addEventListener('abort', () => server.stop());
  context.result({ port: server.path }, () => server.path);
  context.io.err(
    kind === undefined
      ? `The servos of a ${robot} are on ${server.path} (Ctrl-C ends it). Try:\n  kit run --robot ${robot} --policy robot --port ${server.path} --seconds 20`
      : `${servos} ${kind} servos, ids 1 to ${servos}, are on ${server.path} at ${baud} baud (Ctrl-C ends it).`,
  );
  await server.run();
  const { maxLagUs, slippedUs } = server.handle({ kind: 'report' })!;
  context.io.err(
    `It was up to ${(maxLagUs / 1000).toFixed(1)} ms behind the wall clock, and let ${(slippedUs / 1000).toFixed(1)} ms go.`,
  );
}

function words({ arms, faults, safety, swaps, realTime, unmeasured }: HilReport, folder: string): string {
  const after = (ms: number | undefined) => (ms === undefined ? '' : `, stands after ${ms.toFixed(0)} ms`);
  const lines = [
    ...arms.flatMap(({ robot, checks }) =>
      checks.map(({ passed, name, detail }) => checkLine(passed, `${robot}: ${name}`, detail)),
    ),
    ...faults.map(({ passed, bus, name, seen, stoppedMs, failures }) =>
      checkLine(passed, `${bus}: ${name}`, passed ? `${seen}${after(stoppedMs)}` : `${failures.join('; ')} (${seen})`),
    ),
    ...safety.map(({ passed, name, arm, settledMs }) =>
      checkLine(passed, `the board alone: ${name}`, `${arm} after ${settledMs.toFixed(1)} ms`),
    ),
    ...swaps.map(swap => checkLine(swap.passed, `${swap.robot} on ${swap.rig}`, swapWords(swap))),
  ];
  if (realTime !== undefined) {
    const { punctual, killed, ticks, missed } = realTime;
    if (punctual !== undefined) lines.push(checkLine(punctual.passed, punctual.name, punctual.detail));
    if (killed !== undefined) lines.push(checkLine(killed.passed, 'kill -9 of a real host', killedWords(killed)));
    lines.push(
      `${missed} of ${ticks} ticks missed; p50 / p99 in µs: ${latenciesOf(realTime)
        .map(([name, { whole }]) => `${name} ${whole.p50.toFixed(0)} / ${whole.p99.toFixed(0)}`)
        .join('; ')}`,
    );
  }
  if (unmeasured !== '') lines.push(checkLine(false, 'in real time', unmeasured));
  return [...lines, `report: ${join(folder, 'report.html')}`].join('\n');
}
