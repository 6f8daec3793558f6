/** An error on its way between threads: `postMessage` keeps only the message of a subclass, this keeps code, hint and exit too. */
import { type ExitReason, exitCodes, KitError, messageOf } from './error.js';

export interface PackedError {
  readonly message: string;
  readonly code: string;
  readonly hint: string;
  readonly exit: ExitReason;
  readonly stack: string;
}

/** @param code what anything but a {@link KitError} gets */
export function packError(thrown: unknown, code: string): PackedError {
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : '';
  if (thrown instanceof KitError)
    return { message: thrown.message, code: thrown.code, hint: thrown.hint, exit: thrown.exit, stack };
  return { message: messageOf(thrown), code, hint: 'Report this: it is a bug.', exit: 'bug', stack };
}

/** The stack of the other thread is the cause. */
export function unpackError(error: PackedError): KitError {
  return new KitError(error.code, error.message, error.hint, error.exit in exitCodes ? error.exit : 'bug', {
    cause: error.stack,
  });
}
