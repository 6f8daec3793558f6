/**
 * Gives a servo another id or another baud rate: its address. A servo that is told halfway is one that nobody finds again, so everything is
 * asked before it is told, looked at after, and where it did not come out as wanted it is said where the servo is now.
 */
import { KitError } from '@sim2servo/models/error';
import { lastServoId, type ServiceBus, type ServoMemory } from './service-bus.js';

/** Throws where a person does not want it. Called when all has been checked, right before the servo is told. */
export type Permit = (servo: ServoMemory) => Promise<void>;

/**
 * @throws KitError E_SERVO_ID, E_SERVO_ABSENT, E_SERVO_TORQUE, E_ID_TAKEN, E_SERVO_WRITE, E_SERVO_LOST, E_ID_TWINS, and what `permit` throws
 */
export async function setServoId(bus: ServiceBus, from: number, to: number, permit: Permit): Promise<void> {
  for (const id of [from, to])
    if (id > lastServoId)
      throw new KitError('E_SERVO_ID', `${id} is no id of a servo`, `take 0 to ${lastServoId}`, 'usage');
  if (from === to) throw new KitError('E_SERVO_ID', `the new id is the old one, ${from}`, 'nothing is to do', 'usage');
  const servo = await limpServo(bus, from);
  const strays = bus.port.strays;
  const other = await bus.memory(to);
  if (other !== undefined || bus.port.strays > strays)
    throw new KitError(
      'E_ID_TAKEN',
      `id ${to} is taken${other === undefined ? ': what answers there is damaged, as of two servos that speak at once' : ` by another servo (${other.model})`}`,
      'take a free id, or disconnect the other servo first',
      'usage',
    );
  await permit(servo);
  await bus.write(from, 'id', to);
  if ((await bus.memory(to)) === undefined) {
    if ((await bus.memory(from)) === undefined) throw lost(`servo ${from} answers neither to ${from} nor to ${to}`);
    await bus.lock(from);
    throw kept(`servo ${from} did not take id ${to}`);
  }
  await bus.lock(to);
  if ((await bus.memory(from)) !== undefined)
    throw new KitError(
      'E_ID_TWINS',
      `a servo has id ${to} now, and another one still answers to ${from}`,
      'there were two of one id: connect one at a time and say which is to be which',
      'failed',
    );
}

/**
 * @param openAt opens the port at a baud rate; it closes the one that it opened before
 * @throws KitError E_SERVO_BAUD, E_SERVO_ABSENT, E_SERVO_TORQUE, E_SERVO_WRITE, E_SERVO_LOST, E_PORT_*, and what `permit` throws
 */
export async function setServoBaudRate(
  openAt: (baudRate: number) => Promise<ServiceBus>,
  id: number,
  from: number,
  to: number,
  permit: Permit,
): Promise<void> {
  const bus = await openAt(from);
  if (!bus.baudRates.includes(to))
    throw new KitError(
      'E_SERVO_BAUD',
      `a ${bus.kind} servo has no baud rate of ${to}`,
      `take one of ${bus.baudRates.join(', ')}`,
      'usage',
    );
  if (from === to)
    throw new KitError('E_SERVO_BAUD', `the new baud rate is the old one, ${from}`, 'nothing is to do', 'usage');
  await permit(await limpServo(bus, id));
  await bus.write(id, 'baudRate', to);
  const changed = await openAt(to);
  if ((await changed.memory(id))?.baudRate === to) {
    await changed.lock(id);
    return;
  }
  const unchanged = await openAt(from);
  if ((await unchanged.memory(id)) === undefined)
    throw lost(`servo ${id} was told ${to} baud, and answers neither at ${to} nor at ${from}`);
  await unchanged.lock(id);
  throw kept(`servo ${id} did not take ${to} baud`);
}

/** The servo that is to change. Its memory is written only without torque: a Dynamixel refuses, and an arm that is held must not let go. */
async function limpServo(bus: ServiceBus, id: number): Promise<ServoMemory> {
  const strays = bus.port.strays;
  const servo = await bus.memory(id);
  const sample = servo && (await bus.sample(id));
  if (servo === undefined || sample === undefined)
    throw new KitError(
      'E_SERVO_ABSENT',
      `no servo answers to id ${id}`,
      bus.port.strays > strays
        ? 'what came was damaged: two servos of one id do that, so connect only one'
        : 'check cable, supply and baud rate; kit device monitor --kind KIND --port PATH --ids 0-252 shows who is there',
      'noDevice',
    );
  if (sample.torque)
    throw new KitError(
      'E_SERVO_TORQUE',
      `the torque of servo ${id} is on, and a servo's address is only changed without`,
      'support the arm and let it go limp: switch the supply of the servos off and on',
      'safetyStop',
    );
  return servo;
}

function kept(message: string): KitError {
  return new KitError('E_SERVO_WRITE', message, 'nothing has changed: try again', 'failed');
}

function lost(message: string): KitError {
  return new KitError(
    'E_SERVO_LOST',
    message,
    'switch its supply off and on; then kit device monitor --kind KIND --port PATH --ids 0-252 --baud RATE finds it, at the old rate or at the new one, and the change can be made again from there',
    'failed',
  );
}
