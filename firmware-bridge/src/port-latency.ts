/**
 * How long a USB adapter keeps bytes back before it passes them on, and how it is told not to.
 *
 * An FTDI chip (FT232, U2D2) collects bytes until its latency timer runs out, 16 ms unless somebody says otherwise: a bus cycle then takes
 * 16 ms, whatever the wire takes. Linux shows the timer in sysfs. It becomes 1 ms for whoever has opened the port and sets
 * ASYNC_LOW_LATENCY on it, which needs no right, and by writing the file, which does. Only this driver has such a timer: what cp210x, ch341
 * and cdc-acm (ttyACM) bring is passed on as it comes, and there is nothing to set.
 *
 * @see Linux drivers/usb/serial/ftdi_sio.c, write_latency_timer
 */
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { messageOf } from '@sim2servo/models/error';

export interface AdapterLatency {
  /** `ttyUSB0` */
  readonly name: string;
  /** `ftdi_sio` */
  readonly driver: string;
  /** Absent where its driver has no timer. */
  readonly timerMs?: number;
  /** Why it could not be set, where that was tried in vain. */
  readonly refusal?: string;
}

/** The least that the chip takes. */
const wantedMs = 1;

/** Sets it for every such adapter that is plugged in. */
export const latencyRule = 'ACTION=="add", SUBSYSTEM=="usb-serial", DRIVER=="ftdi_sio", ATTR{latency_timer}="1"';
const ruleFile = '/etc/udev/rules.d/99-servo-adapter.rules';

/** What to type to have the rule. */
export const latencyFix = `echo '${latencyRule}' | sudo tee ${ruleFile} && sudo udevadm control --reload   (then plug the adapter in again)`;

const devices = (sysfs: string): string => join(sysfs, 'bus', 'usb-serial', 'devices');

/** The USB adapters that are plugged in. @param sysfs where it is mounted */
export function adapters(sysfs = '/sys'): AdapterLatency[] {
  const folder = devices(sysfs);
  return existsSync(folder)
    ? readdirSync(folder)
        .sort()
        .map(name => adapterNamed(name, sysfs)!)
    : [];
}

function adapterNamed(name: string, sysfs: string): AdapterLatency | undefined {
  const folder = join(devices(sysfs), name);
  if (!existsSync(folder)) return undefined;
  const driverLink = join(folder, 'driver');
  const driver = existsSync(driverLink) ? basename(readlinkSync(driverLink)) : 'unknown driver';
  const file = timerFile(name, sysfs);
  return { name, driver, ...(existsSync(file) && { timerMs: Number(readFileSync(file, 'utf8')) }) };
}

const timerFile = (name: string, sysfs: string): string => join(devices(sysfs), name, 'latency_timer');

/**
 * The USB adapter behind a port; undefined where there is none that is known to keep anything back: a UART of the machine itself, an
 * adapter that is a modem to the system (ttyACM), a pseudo-terminal.
 */
export function adapterOf(path: string, sysfs = '/sys'): AdapterLatency | undefined {
  return adapterNamed(basename(realpathSync(path)), sysfs);
}

/**
 * Has the adapter of an open port pass bytes on at once, where it is permitted, and looks whether it does.
 *
 * @param setFlag   sets ASYNC_LOW_LATENCY on the port; it may fail without saying so
 * @param writeFile writes the timer's file; root may, and whom a udev rule lets
 * @returns the adapter as it is now; undefined where {@link adapterOf} is
 */
export async function lowerLatency(
  path: string,
  setFlag: () => Promise<void>,
  sysfs = '/sys',
  writeFile: (path: string, text: string) => void = writeFileSync,
): Promise<AdapterLatency | undefined> {
  const before = adapterOf(path, sysfs);
  if (before === undefined || isLow(before)) return before;
  let refusal = '';
  for (const set of [setFlag, async () => writeFile(timerFile(before.name, sysfs), String(wantedMs))]) {
    try {
      await set();
    } catch (error) {
      refusal = messageOf(error);
    }
    const now = adapterOf(path, sysfs);
    if (now === undefined || isLow(now)) return now;
  }
  return { ...adapterOf(path, sysfs)!, refusal };
}

const isLow = ({ timerMs }: AdapterLatency): boolean => timerMs === undefined || timerMs <= wantedMs;

/** What is wrong with it, in words; undefined where nothing is. */
export function latencyWarning(adapter: AdapterLatency): string | undefined {
  if (isLow(adapter)) return undefined;
  const why = adapter.refusal === undefined || adapter.refusal === '' ? '' : ` (${adapter.refusal})`;
  return `the adapter ${adapter.name} (${adapter.driver}) keeps what servos say back for up to ${adapter.timerMs} ms${why}`;
}
