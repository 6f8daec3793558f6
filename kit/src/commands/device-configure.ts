/** `kit device configure`: sets up the memories of a robot's bus servos, after saying what that changes. */
import { FeetechLink } from '@sim2servo/firmware-bridge/feetech/feetech-link';
import { changeWords } from '@sim2servo/firmware-bridge/feetech/servo-memory';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { siteOn } from '@sim2servo/models/site';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { confirm } from '../io.js';
import { servoPort } from '../servo-port.js';

interface ConfigureFlags {
  readonly robot: string;
  readonly port: string;
  readonly yes?: boolean;
}

export function addConfigure(device: Command, context: CommandContext): void {
  device
    .command('configure')
    .description("write limits, mode and return delay that a robot needs into its servos' memories (Feetech)")
    .requiredOption('--robot <name>', 'shipped robot or robot folder')
    .requiredOption('--port <path>', 'serial port of the servos')
    .option('--yes', "don't ask")
    .action(async ({ robot, port, yes }: ConfigureFlags) => {
      const { spec, site } = loadRobot(robot);
      const { baudRate } = siteOn(site, 'feetech').bus;
      const link = new FeetechLink({
        open: () => servoPort(context.io, port)(baudRate),
        clock: new RealtimeClock(),
        spec,
        site,
      });
      const changes = await link.configure(async changes => {
        const lines = changes.map(
          change => `  servo ${change.servo.id} (${change.servo.joint}): ${changeWords(change)}`,
        );
        await confirm(
          context.io,
          `About to write into the memories of servos on ${port}:\n${lines.join('\n')}`,
          yes === true,
        );
        return true;
      });
      const written = changes.map(({ servo, name, from, to }) => ({
        servo: servo.id,
        joint: servo.joint,
        name,
        from,
        to,
      }));
      context.result(written, () =>
        written.length === 0 ? 'nothing had to be changed' : `${written.length} values written and read back`,
      );
    });
}
