/** What each command of `sim2servo-robot` is. */
import type { ParseArgsConfig } from 'node:util';
import { KitError } from '@sim2servo/models/error';

export interface RobotCommand {
  readonly name: string;
  /** A line for --help. */
  readonly what: string;
  readonly options: NonNullable<ParseArgsConfig['options']>;
  /** @throws KitError */
  run(flags: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<void>;
}

/** Where `kit provision` puts things; other places are named by options. */
export const places = { store: '/var/lib/sim2servo/store', robot: '/etc/sim2servo/robot' } as const;

/** The options that every command has which works on a store. */
export const placeOptions = {
  store: { type: 'string', default: places.store },
  'robot-folder': { type: 'string', default: places.robot },
} as const;

export function placesOf(flags: Readonly<Record<string, unknown>>): { readonly store: string; readonly robot: string } {
  return { store: textOf(flags, 'store'), robot: textOf(flags, 'robot-folder') };
}

/** @throws KitError E_USAGE where it is missing */
export function textOf(flags: Readonly<Record<string, unknown>>, name: string): string {
  const value = flags[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new KitError('E_USAGE', `--${name} is missing`, 'see sim2servo-robot --help', 'usage');
}
