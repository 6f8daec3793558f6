/** What every failure of the kit carries: a code for programs, a sentence with the offending value, and the next thing to do. */

/** Exit codes of the command line. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  noDevice: 3,
  safetyStop: 4,
  timeout: 5,
  bug: 70,
  interrupt: 130,
} as const;

export type ExitReason = keyof typeof exitCodes;

export class KitError extends Error {
  override readonly name = 'KitError';
  /** Stable, for programs: `E_BUNDLE_DIGEST`. */
  readonly code: string;
  /** What to type or do next. */
  readonly hint: string;
  readonly exit: ExitReason;

  constructor(code: string, message: string, hint: string, exit: ExitReason = 'failed', options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.hint = hint;
    this.exit = exit;
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
