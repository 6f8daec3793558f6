/** `kit hil`: the virtual hardware, and the tests on it. */
import { firmwareImage } from '@sim2servo/firmware-bridge/firmware-image';
import { AvrServer } from '@sim2servo/hil-tests/rig/avr-server';
import { changedArm } from '@sim2servo/sim/arm-variation';
import { Option } from 'commander';
import type { AddCommand } from '../command-context.js';

interface UpFlags {
  readonly robot: string;
  readonly arm: 'nominal' | 'changed';
}

export const addHil: AddCommand = (program, context) => {
  const hil = program.command('hil').description('virtual hardware: the real firmware image without a board');
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
