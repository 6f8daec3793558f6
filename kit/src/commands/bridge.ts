/** `kit bridge`: puts the servos of this machine on an MQTT broker, so that `kit run` may drive them from another one. */
import { createLink } from '@sim2servo/firmware-bridge/create-link';
import { brokerText } from '@sim2servo/firmware-bridge/mqtt/broker-error';
import { type BridgeReport, runBridge } from '@sim2servo/firmware-bridge/mqtt/mqtt-bridge';
import { KitError } from '@sim2servo/models/error';
import { loadRobot, shippedRobotOn } from '@sim2servo/models/robot-folder';
import { brokerName, brokerUrl, siteOn } from '@sim2servo/models/site';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';
import { InvalidArgumentError, Option } from 'commander';
import type { AddCommand, CommandContext } from '../command-context.js';
import { confirm } from '../io.js';
import { positiveNumber, wholeNumber } from '../number-option.js';
import { robotPlace } from '../robot-place.js';
import { servoPort } from '../servo-port.js';

interface BridgeFlags {
  readonly robot?: string;
  readonly bus?: keyof typeof shippedRobotOn;
  readonly broker: string;
  readonly port?: string;
  readonly name?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly deadline: number;
  readonly rate: number;
  readonly discovery?: string | true;
  readonly yes?: boolean;
}

/** As site.json has it. */
const as =
  (schema: typeof brokerUrl) =>
  (text: string): string => {
    const parsed = schema.safeParse(text);
    if (parsed.success) return parsed.data;
    throw new InvalidArgumentError(`it must be ${parsed.error.issues[0]!.message}.`);
  };

export const addBridge: AddCommand = (program, context) => {
  program
    .command('bridge')
    .description(
      'put the servos of this machine on an MQTT broker, for a kit run elsewhere; Ctrl-C holds the arm and ends',
    )
    .option('--robot <name>', 'shipped robot or robot folder, as beside the servos; default: the shipped one on --bus')
    .addOption(
      new Option(
        '--bus <kind>',
        'what the servos hang on; with --robot it must be the bus of that (default: kitlink)',
      ).choices(Object.keys(shippedRobotOn)),
    )
    .option('--port <path>', 'serial port of the servos (default: the one in site.json)')
    .requiredOption('--broker <url>', 'mqtt://[USER:PASSWORD@]HOST[:PORT], or mqtts:// for TLS', as(brokerUrl))
    .option('--name <name>', 'topics begin with kit/v1/NAME (default: the name in robot.json)', as(brokerName))
    .option('--ca <file>', 'who vouches for the broker (default: what the system trusts)')
    .option('--cert <file>', 'our certificate, where the broker wants one')
    .option('--key <file>', 'its key')
    .option('--deadline <ms>', 'the longest that a command counts; then the arm is held', wholeNumber, 100)
    .option('--rate <hz>', 'samples a second of servos that do not send by themselves', positiveNumber, 50)
    .option('--discovery [prefix]', 'show the robot in Home Assistant, whose discovery prefix is homeassistant')
    .option('-y, --yes', 'the arm is free to move: do not ask')
    .action((flags: BridgeFlags) => bridge(flags, context));
};

async function bridge(flags: BridgeFlags, context: CommandContext): Promise<void> {
  const robot = loadRobot(flags.robot ?? shippedRobotOn[flags.bus ?? 'kitlink']);
  const { name = robot.spec.name, broker, ca, cert, key, deadline: deadlineMs } = flags;
  if (robot.site.bus.kind === 'mqtt')
    throw new KitError(
      'E_BRIDGE_BUS',
      `site.json of ${robot.spec.name} has its bus behind a broker already`,
      'a bridge runs beside the servos: give --robot the folder whose site.json has their port',
      'usage',
    );
  if (flags.bus !== undefined) siteOn(robot.site, flags.bus);
  if (deadlineMs < 20 || deadlineMs > 500)
    throw new KitError('E_DEADLINE', `a deadline of ${deadlineMs} ms is none`, 'take 20 to 500', 'usage');
  if ((cert === undefined) !== (key === undefined))
    throw new KitError('E_BROKER_FILE', 'of --cert and --key only one is there', 'name both', 'usage');
  const port = robotPlace(robot, flags.port);
  await confirm(
    context.io,
    `About to let whoever may write to kit/v1/${name}/command on ${brokerText(broker)} move ${robot.spec.name} on ${port}.\nKeep clear of the arm. It is held ${deadlineMs} ms after the last sample that a command answers; Ctrl-C holds it too.`,
    flags.yes === true,
  );
  const clock = new RealtimeClock();
  const report = await runBridge({
    robot,
    name,
    clock,
    link: createLink({ robot, clock, open: servoPort(context.io, port) }),
    address: { broker, ca, cert, key },
    deadlineMs,
    sampleHz: flags.rate,
    ...(flags.discovery !== undefined && { discovery: flags.discovery === true ? 'homeassistant' : flags.discovery }),
    signal: context.signal,
    onEvent: what => context.io.err(what),
  });
  context.result(report, () => words(report));
}

function words({ samples, dropped, obeyed, refused }: BridgeReport): string {
  const reasons = Object.entries(refused).filter(([, count]) => count > 0);
  return [
    `${samples} samples sent, ${dropped} dropped because the broker was away or slow`,
    `${obeyed} commands obeyed, refused: ${reasons.length === 0 ? 'none' : reasons.map(([why, count]) => `${why} ${count}`).join(', ')}`,
  ].join('\n');
}
