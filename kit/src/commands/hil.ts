/** `kit hil`: the virtual hardware, and the tests on it. */
import { join } from 'node:path';
import { firmwareImage } from '@sim2servo/firmware-bridge/firmware-image';
import { type HilReport, runHil } from '@sim2servo/hil-tests/hil-report';
import { AvrServer } from '@sim2servo/hil-tests/rig/avr-server';
import { BusServer } from '@sim2servo/hil-tests/rig/bus/bus-server';
import { type BusKind, busKinds } from '@sim2servo/hil-tests/rig/bus/create-bus';
import { KitError } from '@sim2servo/models/error';
import { changedArm } from '@sim2servo/sim/arm-variation';
import { type Command, Option } from 'commander';
import type { AddCommand, CommandContext } from '../command-context.js';
import { confirm } from '../io.js';
import { positiveNumber, wholeNumber } from '../number-option.js';
import { ProgressLine } from '../progress-line.js';

interface UpFlags extends Pick<HilFlags, 'robot' | 'rig'> {
  readonly arm: 'nominal' | 'changed';
  readonly kind?: BusKind;
  readonly servos: number;
  readonly baud: number;
}

interface HilFlags {
  readonly robot: string;
  readonly rig: string;
  readonly yes?: boolean;
  readonly out: string;
  readonly seconds: number;
}

export const addHil: AddCommand = (program, context) => {
  const hil = program
    .command('hil')
    .description('latency and safety tests on the real firmware image or on emulated servos, without hardware')
    .option('--robot <name>', 'shipped robot or robot folder', 'desk2')
    .option('--rig <rig>', 'ideal, avr, bus (servos behind a port), or your own arm: serial:PATH', 'avr')
    .option('--out <folder>', 'where the report goes', 'hil-report')
    .option('--seconds <n>', 'how long latency is measured on avr', positiveNumber, 10)
    .option('-y, --yes', 'on your own board: the arm is free to move, do not ask')
    .action(async (flags: HilFlags) => {
      if (flags.rig.startsWith('serial:'))
        await confirm(
          context.io,
          `About to move ${flags.robot} on ${flags.rig.slice('serial:'.length)}: it swings each joint by 0.3 rad, holds, and goes limp at the end.\nKeep clear of the arm, and see that it may fall.`,
          flags.yes === true,
        );
      const line = new ProgressLine(context.io);
      const report = await runHil({
        robot: flags.robot,
        rig: flags.rig,
        outDir: flags.out,
        seconds: flags.seconds,
        signal: context.signal,
        onProgress: what => line.show(() => what),
      });
      line.done();
      context.result(report, () => words(report, flags.out));
      if (!report.passed) context.exit('failed');
    });
  hil
    .command('up')
    .description('serve a virtual board, or a bus of virtual servos, on a serial port of its own, until Ctrl-C')
    .addOption(
      new Option('--arm <which>', 'the arm on it; changed: load +50 %, gain -20 %, 3° offset')
        .choices(['nominal', 'changed'])
        .default('nominal'),
    )
    .addOption(
      new Option(
        '--kind <kind>',
        'on rig bus: servos of this kind that turn nothing, instead of those of a robot',
      ).choices(busKinds),
    )
    .option('--servos <n>', 'with --kind: how many; their ids are 1 to n', wholeNumber, 6)
    .option('--baud <rate>', 'with --kind: of the wire and the servos', wholeNumber, 1_000_000)
    .action(async (_own: unknown, command: Command) => {
      const flags = command.optsWithGlobals<UpFlags>(); // --robot and --rig are those of `hil`
      if (flags.rig === 'bus') return serveBus(flags, context);
      if (flags.rig !== 'avr')
        throw new KitError('E_RIG_SERVE', `rig ${flags.rig} has no port to serve`, 'use --rig avr or bus', 'usage');
      const server = await AvrServer.start({
        robot: flags.robot,
        imagePath: firmwareImage,
        ...variationOf(flags),
      });
      context.signal.addEventListener('abort', () => server.stop());
      context.result({ port: server.path }, () => server.path);
      context.io.err(
        `A ${flags.robot} with an ATmega328P is on ${server.path} (Ctrl-C ends it). Try:\n  kit run --robot ${flags.robot} --policy robot --port ${server.path} --seconds 20`,
      );
      await server.run();
      const report = server.handle({ kind: 'report' })!;
      context.io.err(
        `It ran ${(report.nowUs / 1e6).toFixed(1)} s, could have run ${report.realTimeFactor.toFixed(1)} times as fast as real time.`,
      );
    });
};

const variationOf = ({ arm }: UpFlags) => (arm === 'changed' ? { variation: changedArm } : {});

async function serveBus(flags: UpFlags, context: CommandContext): Promise<void> {
  const { kind, servos, baud, robot } = flags;
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

function words({ checks, board }: HilReport, out: string): string {
  const mark = (passed: boolean) => (passed ? 'ok  ' : 'FAIL');
  const lines = checks.map(
    ({ passed, name, detail }) => `${mark(passed)}  ${name}${detail === '' ? '' : `: ${detail}`}`,
  );
  if (board !== undefined) {
    const { safety, killed, latency } = board;
    for (const { passed, name, arm, settledMs } of safety)
      lines.push(`${mark(passed)}  ${name}: ${arm} after ${settledMs.toFixed(1)} ms`);
    lines.push(`${mark(killed.passed)}  kill -9 of a real program: held after ${killed.holdMs.toFixed(1)} ms`);
    const us = ({ p50, p99 }: { p50: number; p99: number }) => `${p50.toFixed(0)} / ${p99.toFixed(0)} µs`;
    lines.push(
      latency === undefined
        ? 'latency is not reported: this machine could not emulate the board in real time'
        : `p50 / p99: sensor to register ${us(latency.sensorToRegisterUs)}, register to end of pulse ${us(latency.registerToPulseUs)}`,
    );
  }
  return [...lines, `report: ${join(out, 'report.md')}`].join('\n');
}
