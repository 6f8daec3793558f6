/** `kit hil`: the virtual hardware, and the tests on it. */
import { firmwareImage } from '@sim2servo/firmware-bridge/firmware-image';
import { runHil } from '@sim2servo/hil-tests/hil-report';
import { AvrServer } from '@sim2servo/hil-tests/rig/avr-server';
import { changedArm } from '@sim2servo/sim/arm-variation';
import { Option } from 'commander';
import type { AddCommand } from '../command-context.js';
import { positiveNumber } from '../number-option.js';
import { ProgressLine } from '../progress-line.js';

interface UpFlags {
  readonly robot: string;
  readonly arm: 'nominal' | 'changed';
}

interface HilFlags {
  readonly robot: string;
  readonly out: string;
  readonly seconds: number;
}

export const addHil: AddCommand = (program, context) => {
  const hil = program
    .command('hil')
    .description('latency and safety tests on the real firmware image, without a board')
    .option('--robot <name>', 'shipped robot or robot folder', 'desk2')
    .addOption(new Option('--rig <rig>', 'which hardware').choices(['avr']).default('avr'))
    .option('--out <folder>', 'where the report goes', 'hil-report')
    .option('--seconds <n>', 'how long latency is measured', positiveNumber, 10)
    .action(async (flags: HilFlags) => {
      const line = new ProgressLine(context.io);
      const report = await runHil({
        robot: flags.robot,
        outDir: flags.out,
        seconds: flags.seconds,
        signal: context.signal,
        onProgress: what => line.show(() => what),
      });
      line.done();
      context.result(report, () =>
        [
          ...report.safety.map(
            ({ passed, name, arm, settledMs }) =>
              `${passed ? 'ok  ' : 'FAIL'}  ${name}: ${arm} after ${settledMs.toFixed(1)} ms`,
          ),
          `${report.killed.passed ? 'ok  ' : 'FAIL'}  kill -9 of a real program: held after ${report.killed.holdMs.toFixed(1)} ms`,
          report.latency === undefined
            ? 'latency is not reported: this machine could not emulate the board in real time'
            : `sensor to register p50 / p99: ${report.latency.sensorToRegisterUs.p50.toFixed(0)} / ${report.latency.sensorToRegisterUs.p99.toFixed(0)} µs; register to end of pulse ${report.latency.registerToPulseUs.p50.toFixed(0)} / ${report.latency.registerToPulseUs.p99.toFixed(0)} µs`,
          `report: ${flags.out}/report.md`,
        ].join('\n'),
      );
      if (!report.passed) context.exit('failed');
    });
  hil
    .command('up')
    .description('serve a virtual board on a serial port of its own, until Ctrl-C')
    .option('--robot <name>', 'shipped robot or robot folder', 'desk2')
    .addOption(new Option('--rig <rig>', 'which hardware').choices(['avr']).default('avr'))
    .addOption(
      new Option('--arm <which>', 'the arm on it; changed: load +50 %, gain -20 %, 3° offset')
        .choices(['nominal', 'changed'])
        .default('nominal'),
    )
    .action(async (flags: UpFlags) => {
      const server = await AvrServer.start({
        robot: flags.robot,
        imagePath: firmwareImage,
        ...(flags.arm === 'changed' && { variation: changedArm }),
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
